/** Entry of the room app: from the boot document to the device check, the room and the way out. */
import { setLogLevel } from "livekit-client";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { isAdmission, readBoot, type Admission, type Boot } from "./boot";
import "./design/fonts.css";
import "./design/room.css";
import { setLanguage } from "./i18n/language";
import { Meeting } from "./Meeting";
import type { Choices } from "./media/choices";
import { NoticesProvider } from "./notices";
import { EndingPage, ProblemPage, type Ending } from "./prejoin/Outside";
import { PreJoin } from "./prejoin/PreJoin";

function App({ boot }: { boot: Boot }) {
  return isAdmission(boot) ? <Entrance boot={boot} /> : <ProblemPage boot={boot} />;
}

type Place =
  | { at: "check" }
  | { at: "meeting"; choices: Choices; stay: number }
  | { at: "outside"; ending: Ending; message: string; choices: Choices; stay: number };

function Entrance({ boot }: { boot: Admission }) {
  const [place, setPlace] = useState<Place>({ at: "check" });
  switch (place.at) {
    case "check":
      return <PreJoin boot={boot} onJoin={(choices) => setPlace({ at: "meeting", choices, stay: 1 })} />;
    case "meeting":
      return (
        <Meeting
          key={place.stay}
          boot={boot}
          choices={place.choices}
          onOver={(ending, message) => setPlace({ ...place, at: "outside", ending, message })}
        />
      );
    case "outside":
      return (
        <EndingPage
          boot={boot}
          ending={place.ending}
          message={place.message}
          onReturn={() => setPlace({ at: "meeting", choices: place.choices, stay: place.stay + 1 })}
        />
      );
  }
}

const boot = readBoot(document);
setLanguage(boot.language);
setLogLevel("warn");
document.documentElement.lang = boot.language;

const place = document.getElementById("root") ?? document.body.appendChild(document.createElement("div"));
createRoot(place).render(
  <NoticesProvider>
    <App boot={boot} />
  </NoticesProvider>,
);
