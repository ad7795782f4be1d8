/** Entry of the line check: a site tries devices and line before a meeting. */
import { setLogLevel } from "livekit-client";
import { createRoot } from "react-dom/client";
import { CheckPage } from "./check/CheckPage";
import { readCheckBoot, type CheckBoot } from "./check/server";
import { InfoIcon } from "./design/icons";
import "./design/fonts.css";
import "./design/room.css";
import { setLanguage, t } from "./i18n/language";

function Closed({ boot }: { boot: CheckBoot }) {
  return (
    <main className="page-card">
      <InfoIcon size={40} />
      <h1>{t("lineCheck")}</h1>
      <p>{boot.meeting.title}</p>
      <p>{boot.problem}</p>
      {boot.hotline && <p className="hotline num">{t("helpLine", { number: boot.hotline })}</p>}
      <a className="button button-plain" href={boot.leave_url}>
        {t("toMeeting")}
      </a>
    </main>
  );
}

const boot = readCheckBoot(document);
setLanguage(boot.language);
setLogLevel("error"); // a way that is closed is a result here, not a fault
document.documentElement.lang = boot.language;

const place = document.getElementById("root") ?? document.body.appendChild(document.createElement("div"));
createRoot(place).render(boot.problem ? <Closed boot={boot} /> : <CheckPage boot={boot} />);
