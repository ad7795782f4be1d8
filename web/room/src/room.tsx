import "./design/fonts.css";
