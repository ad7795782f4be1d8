/** Written messages to everybody in the room. */
import { useEffect, useRef, useState } from "react";
import { timeOfDay } from "../conduct/clock";
import { useCommand, useConduct } from "../conduct/context";
import { Action } from "../design/controls";
import { SendIcon } from "../design/icons";
import { t } from "../i18n/language";

const LONGEST = 2000;
/** The count appears when so few characters are left. */
const COUNT_FROM = 200;

export function ChatPanel() {
  const { chat, me, link } = useConduct();
  const send = useCommand("chat.send");
  const [text, setText] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);

  useEffect(() => {
    const element = list.current;
    if (element && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [chat.length]);

  const submit = async () => {
    const trimmed = text.trim();
    if (!trimmed) return;
    const answer = await send.send({ text: trimmed });
    if (answer?.ok) setText("");
  };

  return (
    <div className="chat">
      <ol
        ref={list}
        className="chat-list"
        tabIndex={0}
        aria-label={t("messages")}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {chat.length === 0 && <li className="empty">{t("noMessages")}</li>}
        {chat.map((message) => (
          <li key={message.id} className={message.identity === me.identity ? "message message-own" : "message"}>
            <p className="message-head">
              <span className="message-name">{message.name}</span>
              <time className="num" dateTime={message.at}>
                {timeOfDay(Date.parse(message.at))}
              </time>
            </p>
            <p className="message-text">{message.text}</p>
          </li>
        ))}
      </ol>
      <form
        className="chat-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label className="unseen" htmlFor="chat-text">
          {t("writeMessage")}
        </label>
        <textarea
          id="chat-text"
          rows={2}
          maxLength={LONGEST}
          placeholder={t("writeMessage")}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              void submit();
            }
          }}
        />
        <Action
          tone="primary"
          icon={SendIcon}
          isBusy={send.isBusy}
          isDisabled={link !== "connected" || !text.trim()}
          onPress={() => void submit()}
        >
          {t("send")}
        </Action>
        {LONGEST - text.length <= COUNT_FROM && (
          <p className="hint num">{t("charactersLeft", { count: LONGEST - text.length })}</p>
        )}
      </form>
    </div>
  );
}
