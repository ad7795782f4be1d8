/** The question put to the meeting, for everybody in it: vote, wait, see the result. */
import { useEffect, useId, useRef, useState } from "react";
import { useConduct } from "../conduct/context";
import type { Choice, Vote } from "../conduct/protocol";
import { Action } from "../design/controls";
import { CheckIcon, CloseIcon, VoteIcon } from "../design/icons";
import { t } from "../i18n/language";
import { useCasting } from "./ballot";
import { CHOICES } from "./choices";
import { Result } from "./Result";

export function VoteCard() {
  const { vote } = useConduct();
  const [closedId, setClosedId] = useState<number | null>(null);
  if (!vote || vote.id === closedId) return null;
  return (
    <section className="vote-card" aria-labelledby="vote-question" data-testid="vote">
      <header className="vote-head">
        <VoteIcon />
        <p className="vote-word">{t(vote.is_secret ? "secretVote" : "vote")}</p>
        {vote.closed_at !== null && (
          <button type="button" className="button button-icon" aria-label={t("close")} onClick={() => setClosedId(vote.id)}>
            <CloseIcon />
          </button>
        )}
      </header>
      <p id="vote-question" className="vote-question">
        {vote.question}
      </p>
      {vote.closed_at === null ? (
        <BallotForm key={vote.id} vote={vote} />
      ) : vote.totals ? (
        <Result totals={vote.totals} eligibleCount={vote.eligible_count} />
      ) : (
        <p className="vote-note">{t("voteClosed")}</p>
      )}
    </section>
  );
}

function BallotForm({ vote }: { vote: Vote }) {
  const { ownBallot } = useConduct();
  const casting = useCasting(vote.id);
  const [marked, setMarked] = useState<Choice | null>(null);
  const first = useRef<HTMLInputElement>(null);
  const name = useId();

  useEffect(() => {
    const isTyping = document.activeElement?.matches("input, textarea, select") ?? false;
    if (!isTyping) first.current?.focus();
  }, []);

  if (ownBallot === "secret") return <p className="vote-note">{t("secretCast")}</p>;
  const chosen = marked ?? casting.pending ?? ownBallot;
  const isCounted = ownBallot !== null && chosen === ownBallot && casting.pending === null;
  return (
    <form
      className="vote-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen && !isCounted && casting.pending === null) casting.cast(chosen);
      }}
    >
      <fieldset className="vote-choices">
        <legend className="unseen">{t("yourVote")}</legend>
        {CHOICES.map(({ choice, word }, index) => (
          <label key={choice} className={`vote-choice ${chosen === choice ? "is-chosen" : ""}`}>
            <input
              ref={index === 0 ? first : undefined}
              type="radio"
              name={name}
              value={choice}
              checked={chosen === choice}
              onChange={() => setMarked(choice)}
            />
            <span>{t(word)}</span>
          </label>
        ))}
        <Action
          tone="primary"
          icon={CheckIcon}
          isBusy={casting.pending !== null}
          isDisabled={chosen === null || isCounted}
          isSubmit
        >
          {t("sendBallot")}
        </Action>
      </fieldset>
      <p className="vote-note" role="status">
        {casting.isRetrying
          ? t("ballotRetried")
          : isCounted
            ? t("ballotCounted", { choice: t(wordOf(ownBallot)) })
            : t(vote.is_secret ? "secretIsFinal" : "changeableUntilEnd")}
      </p>
    </form>
  );
}

function wordOf(choice: Choice) {
  return CHOICES.find((one) => one.choice === choice)?.word ?? "voteAbstain";
}
