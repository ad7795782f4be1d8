/** “Kiểm tra đường truyền”: devices on the left, the line on the right, the verdict below. */
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { spanOf } from "../conduct/clock";
import { Action, Spinner } from "../design/controls";
import { AlertIcon, CheckIcon, CloseIcon, InfoIcon, NextIcon } from "../design/icons";
import { t, type Key } from "../i18n/language";
import { keepChoices, readChoices } from "../media/choices";
import { useDeviceLists } from "../media/devices";
import { usePreview } from "../media/preview";
import { DeviceMenu } from "../prejoin/DeviceMenu";
import { MicrophoneMeter, OwnPicture, SpeakerTest, Trouble } from "../prejoin/parts";
import type { Rates } from "./figures";
import { Checker, STEPS, type Devices, type Run, type StepName, type StepState } from "./run";
import type { CheckBoot, SpeakerState, Verdict } from "./server";

const STEP_KEYS: Record<StepName, Key> = {
  queue: "stepTurn",
  udp: "stepUdp",
  tcp: "stepTcp",
  turn: "stepTurnServer",
  rates: "stepRates",
  send: "stepSend",
};
const STATE_KEYS: Record<StepState, Key> = {
  waiting: "stateWaiting",
  running: "stateRunning",
  done: "stateDone",
  failed: "stateFailed",
  blocked: "stateBlocked",
  absent: "stateAbsent",
  skipped: "stateSkipped",
};

export function CheckPage({ boot }: { boot: CheckBoot }) {
  const devices = useRef<Devices>({ camera: "unknown", microphone: "unknown", speaker: "skipped" });
  const [checker] = useState(() => new Checker(boot, () => devices.current));
  const run = useSyncExternalStore(checker.subscribe, checker.read);
  useEffect(() => () => checker.stop(), [checker]);
  const isRunning = run.phase === "running";
  return (
    <main className="prejoin check">
      <header className="prejoin-head">
        <p className="prejoin-step">{t("lineCheck")}</p>
        <h1>{boot.meeting.title}</h1>
        <p className="prejoin-facts">
          <span>{boot.site.name}</span>
          <span className="num">{spanOf(boot.meeting.starts_at, boot.meeting.ends_at)}</span>
        </p>
      </header>
      <DevicePart devices={devices} />
      <section className="check-line" aria-labelledby="steps-title">
        <h2 id="steps-title">{t("checkSteps")}</h2>
        <Steps run={run} />
        <p className="check-note" role="status">
          {noteOf(run)}
        </p>
      </section>
      {(run.verdict ?? run.unsent) && <Outcome run={run} onSendAgain={() => checker.sendAgain()} />}
      <footer className="prejoin-join">
        {run.phase === "broken" && (
          <p className="caution" role="alert">
            <AlertIcon />
            <span>
              {run.problem} {t("checkFailed")}
            </span>
          </p>
        )}
        {run.phase === "idle" && (
          <p className="caution">
            <InfoIcon />
            <span>{t("checkLead")}</span>
          </p>
        )}
        <div className="prejoin-buttons">
          {isRunning ? (
            <Action className="button-large" icon={CloseIcon} onPress={() => checker.stop()}>
              {t("stopCheck")}
            </Action>
          ) : (
            <Action tone="primary" className="button-large" icon={NextIcon} onPress={() => checker.start()}>
              {t(run.phase === "idle" ? "startCheck" : "checkAgain")}
            </Action>
          )}
          {!isRunning && (
            <a className="button button-plain button-large" href={boot.leave_url}>
              {t("toMeeting")}
            </a>
          )}
        </div>
        {boot.hotline && <p className="hotline num">{t("helpLine", { number: boot.hotline })}</p>}
      </footer>
    </main>
  );
}

function DevicePart({ devices }: { devices: { current: Devices } }) {
  const [choices, setChoices] = useState(() => readChoices(window.localStorage));
  const preview = usePreview({ cameraId: choices.cameraId, microphoneId: choices.microphoneId, wantsCamera: true });
  const lists = useDeviceLists(preview);
  const [heardId, setHeardId] = useState<MediaStream | null>(null);
  const [speaker, setSpeaker] = useState<SpeakerState>("skipped");
  const [wasPlayed, setPlayed] = useState(false);
  const wasHeard = preview.microphone !== null && heardId === preview.microphone;
  devices.current = {
    camera: preview.camera ? "ok" : (preview.cameraFailure ?? "unknown"),
    microphone: preview.microphone ? (wasHeard ? "ok" : "silent") : (preview.microphoneFailure ?? "unknown"),
    speaker,
  };
  const choose = (part: Partial<typeof choices>) => {
    const chosen = { ...choices, ...part };
    setChoices(chosen);
    keepChoices(window.localStorage, chosen);
  };
  return (
    <section className="check-devices" aria-label={t("devices")}>
      <div className="prejoin-picture">
        <OwnPicture stream={preview.camera} failure={preview.cameraFailure} isAsking={preview.isAsking} />
      </div>
      <div className="device">
        <DeviceMenu
          label={t("camera")}
          devices={lists.cameras}
          chosen={choices.cameraId}
          onChoose={(cameraId) => choose({ cameraId })}
        />
        <Trouble device="camera" failure={preview.cameraFailure} onRetry={preview.again} />
      </div>
      <div className="device">
        <DeviceMenu
          label={t("microphone")}
          devices={lists.microphones}
          chosen={choices.microphoneId}
          onChoose={(microphoneId) => choose({ microphoneId })}
        />
        <MicrophoneMeter stream={preview.microphone} onHeard={() => setHeardId(preview.microphone)} />
        <Trouble device="microphone" failure={preview.microphoneFailure} onRetry={preview.again} />
      </div>
      <SpeakerTest
        devices={lists.speakers}
        chosen={choices.speakerId}
        onChoose={(speakerId) => choose({ speakerId })}
        onPlayed={() => setPlayed(true)}
      />
      {wasPlayed && (
        <fieldset className="check-heard">
          <legend>{t("heardTone")}</legend>
          {(["heard", "not_heard"] as const).map((answer) => (
            <label key={answer} className="switch">
              <input
                type="radio"
                name="speaker"
                checked={speaker === answer}
                onChange={() => setSpeaker(answer)}
              />
              <span>{t(answer === "heard" ? "heardYes" : "heardNo")}</span>
            </label>
          ))}
        </fieldset>
      )}
    </section>
  );
}

function Steps({ run }: { run: Run }) {
  return (
    <ol className="check-steps">
      {STEPS.map((name) => (
        <li key={name} className={`check-step step-${run.steps[name]}`}>
          <StepPicture state={run.steps[name]} />
          <span>{t(STEP_KEYS[name])}</span>
          <span className="check-state">{t(STATE_KEYS[run.steps[name]])}</span>
          {name === "rates" && run.steps.rates === "running" && (
            <progress className="check-progress" max={1} value={run.share} aria-label={t("stepRates")} />
          )}
        </li>
      ))}
    </ol>
  );
}

function StepPicture({ state }: { state: StepState }) {
  if (state === "running") return <Spinner />;
  if (state === "done") return <CheckIcon size={20} />;
  if (state === "failed" || state === "blocked") return <AlertIcon size={20} />;
  return <span className="check-dot" aria-hidden="true" />;
}

function noteOf(run: Run): string {
  if (run.wait) {
    const values = { count: run.wait.ahead, limit: run.wait.at_once };
    if (run.wait.ahead === 0) return t("nextInLine", values);
    return t(run.wait.is_live ? "othersFirstLive" : "othersFirst", values);
  }
  if (run.steps.rates === "running" && run.soFar) {
    return t("ratesSoFar", { down: mbps(run.soFar.down_kbps), up: mbps(run.soFar.up_kbps) });
  }
  return run.phase === "running" ? t("keepOpen") : "";
}

const decimal = (value: number) => value.toFixed(1).replace(".", ",");
const mbps = (kbps: number) => decimal(kbps / 1000);

function Outcome({ run, onSendAgain }: { run: Run; onSendAgain: () => void }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), [run.verdict, run.unsent]);
  return (
    <section
      ref={place}
      tabIndex={-1}
      className={`check-outcome grade-${run.verdict?.grade ?? "none"}`}
      aria-labelledby="verdict-title"
    >
      <h2 id="verdict-title">{run.verdict?.heading ?? t("verdict")}</h2>
      {run.verdict && <Findings verdict={run.verdict} />}
      {run.rates && <Figures rates={run.rates} via={run.via} />}
      {run.verdict ? (
        <p className="check-kept">{t("resultKept")}</p>
      ) : (
        <div className="trouble">
          <AlertIcon size={20} />
          <div>
            <p>{t("resultNotSent", { reason: run.problem || t("serverSilent") })}</p>
            <p className="trouble-actions">
              <Action onPress={onSendAgain}>{t("sendAgain")}</Action>
            </p>
          </div>
        </div>
      )}
    </section>
  );
}

function Findings({ verdict }: { verdict: Verdict }) {
  if (verdict.findings.length === 0) return null;
  return (
    <ul className="check-findings">
      {verdict.findings.map((finding) => (
        <li key={finding.what} className={`finding-${finding.grade}`}>
          <AlertIcon size={20} />
          <div>
            <p>
              <strong>{finding.what}</strong>
            </p>
            <p>{finding.todo}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Figures({ rates, via }: { rates: Rates; via: string | null }) {
  const loss = Math.max(rates.up_loss_permille, rates.down_loss_permille) / 10;
  const shown: [Key, string][] = [
    ["figureDown", `${mbps(rates.down_kbps)} Mb/s`],
    ["figureUp", `${mbps(rates.up_kbps)} Mb/s`],
    ["figureLoss", `${decimal(loss)} %`],
    ["figureRtt", `${rates.rtt_ms} ms`],
    ["figureJitter", `${rates.jitter_ms} ms`],
    ["figureVia", (via ?? "").toUpperCase()],
  ];
  return (
    <dl className="check-figures" aria-label={t("figures")}>
      {shown.map(([key, text]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd className="num">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
