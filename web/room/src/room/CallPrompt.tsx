/** “Mời đồng chí phát biểu”: the chair waits for this microphone. */
import { useEffect, useRef, useState } from "react";
import { hasFloor } from "../conduct/conduct";
import { useChannel, useCommand, useConduct } from "../conduct/context";
import { Action } from "../design/controls";
import { MicrophoneIcon } from "../design/icons";
import { t } from "../i18n/language";
import type { OwnSource } from "../media/own";
import { useNotices } from "../notices";

export function CallPrompt({ microphone }: { microphone: OwnSource }) {
  const conduct = useConduct();
  const channel = useChannel();
  const notices = useNotices();
  const end = useCommand("floor.end");
  const [isOpening, setOpening] = useState(false);
  const isCalled = conduct.call !== null && hasFloor(conduct);

  useEffect(() => {
    if (isCalled) notices.announce(t("youHaveFloor"), "assertive");
  }, [isCalled, notices]);
  useEffect(() => {
    if (isCalled && microphone.isOn) channel.answerCall();
  }, [isCalled, microphone.isOn, channel]);

  const buttons = useRef<HTMLDivElement>(null);
  const isShown = isCalled && !microphone.isOn;
  useEffect(() => {
    // Never under the fingers of somebody who is typing: a space would open the microphone.
    const isTyping = document.activeElement?.matches("input, textarea, select") ?? false;
    if (isShown && !isTyping) buttons.current?.querySelector("button")?.focus();
  }, [isShown]);
  if (!isShown) return null;

  const open = async () => {
    setOpening(true);
    const isOn = await microphone.set(true);
    setOpening(false);
    if (isOn) channel.answerCall();
    else if (!microphone.isAllowed) notices.show({ kind: "error", key: "call", text: t("microphoneNotYetAllowed") });
  };

  return (
    <section className="call" role="alertdialog" aria-labelledby="call-title" aria-describedby="call-hint">
      <h2 id="call-title">{t("youHaveFloor")}</h2>
      <p id="call-hint">{t("calledBy", { name: conduct.call?.by ?? "" })}</p>
      <div className="call-actions" ref={buttons}>
        <Action
          tone="floor"
          icon={MicrophoneIcon}
          className="button-large"
          isBusy={isOpening}
          onPress={() => void open()}
        >
          {t("openMicrophone")}
        </Action>
        <Action
          className="button-large"
          isBusy={end.isBusy}
          onPress={() => void end.send({ identity: conduct.me.identity })}
        >
          {t("notReady")}
        </Action>
      </div>
    </section>
  );
}
