/** The chair's side of a vote: put the question, follow the count, close, publish. */
import { useEffect, useState } from "react";
import type { AgendaItem } from "../boot";
import { isOpen } from "../conduct/conduct";
import { useChannel, useCommand, useConduct } from "../conduct/context";
import type { Choice, Totals, Vote } from "../conduct/protocol";
import { Action, Dialog } from "../design/controls";
import { CheckIcon, VoteIcon } from "../design/icons";
import { t } from "../i18n/language";
import { useNotices } from "../notices";
import { CHOICES } from "../votes/choices";
import { Result } from "../votes/Result";

const LONGEST = 500;

export function VoteDesk({ items }: { items: AgendaItem[] }) {
  const conduct = useConduct();
  const { vote, link } = conduct;
  const [isAsking, setAsking] = useState(false);
  const isDisabled = link !== "connected" || !isOpen(conduct);
  const isRunning = vote !== null && vote.closed_at === null;
  return (
    <section className="vote-desk" aria-labelledby="vote-desk-title">
      <h2 id="vote-desk-title" className="panel-title">
        {t("vote")}
      </h2>
      {vote && <Running key={vote.id} vote={vote} isDisabled={isDisabled} />}
      {!isRunning && (
        <Action icon={VoteIcon} isDisabled={isDisabled} shortcut="Alt+B" onPress={() => setAsking(true)}>
          {t("openVote")}
        </Action>
      )}
      {isAsking && <PutQuestion items={items} onClose={() => setAsking(false)} />}
    </section>
  );
}

function PutQuestion({ items, onClose }: { items: AgendaItem[]; onClose: () => void }) {
  const { agenda } = useConduct();
  const open = useCommand("vote.open");
  const [question, setQuestion] = useState(() => items.find((item) => item.id === agenda.item_id)?.title ?? "");
  const [isSecret, setSecret] = useState(false);
  const submit = () =>
    void open.send({ question, is_secret: isSecret }).then((answer) => {
      if (answer?.ok) onClose();
    });
  return (
    <Dialog
      title={t("openVote")}
      onClose={onClose}
      actions={
        <>
          <Action onPress={onClose}>{t("goBack")}</Action>
          <Action tone="primary" icon={VoteIcon} isBusy={open.isBusy} isDisabled={!question.trim()} onPress={submit}>
            {t("openVote")}
          </Action>
        </>
      }
    >
      <label className="field">
        <span>{t("voteQuestion")}</span>
        <textarea rows={3} maxLength={LONGEST} value={question} onChange={(event) => setQuestion(event.target.value)} />
      </label>
      <label className="switch">
        <input type="checkbox" checked={isSecret} onChange={(event) => setSecret(event.target.checked)} />
        <span>{t("secretVoteSwitch")}</span>
      </label>
    </Dialog>
  );
}

function Running({ vote, isDisabled }: { vote: Vote; isDisabled: boolean }) {
  const close = useCommand("vote.close");
  const publish = useCommand("vote.publish");
  const [revision, setRevision] = useState(0);
  const totals = useTotals(vote, revision);
  return (
    <div className="vote-running">
      <p className="vote-question">{vote.question}</p>
      {vote.closed_at === null ? (
        <>
          <p className="num">{t("ballotsOf", { cast: vote.cast_count, eligible: vote.eligible_count })}</p>
          <Action isBusy={close.isBusy} isDisabled={isDisabled} onPress={() => void close.send({ vote_id: vote.id })}>
            {t("closeVote")}
          </Action>
        </>
      ) : (
        totals && <Result totals={totals} eligibleCount={vote.eligible_count} />
      )}
      {!vote.is_secret && vote.published_at === null && (
        <Hands vote={vote} isDisabled={isDisabled} onCounted={() => setRevision((before) => before + 1)} />
      )}
      {vote.closed_at !== null &&
        (vote.published_at === null ? (
          <Action
            tone="primary"
            isBusy={publish.isBusy}
            isDisabled={isDisabled}
            onPress={() => void publish.send({ vote_id: vote.id })}
          >
            {t("publishVote")}
          </Action>
        ) : (
          <p className="vote-note">{t("votePublished")}</p>
        ))}
    </div>
  );
}

/** Totals of a closed vote: published ones are everybody's, before that the console asks. */
function useTotals(vote: Vote, revision: number): Totals | null {
  const channel = useChannel();
  const [asked, setAsked] = useState<Totals | null>(null);
  const isWanted = vote.closed_at !== null && vote.totals === null;
  useEffect(() => {
    if (!isWanted) return;
    let isCurrent = true;
    void channel.command<{ totals: Totals }>("vote.result", { vote_id: vote.id }).then((answer) => {
      if (isCurrent && answer.ok) setAsked(answer.totals);
    });
    return () => {
      isCurrent = false;
    };
  }, [channel, isWanted, revision, vote.id]);
  return vote.totals ?? asked;
}

/** Hands shown in halls without devices, entered by the secretary. */
function Hands({ vote, isDisabled, onCounted }: { vote: Vote; isDisabled: boolean; onCounted: () => void }) {
  const hands = useCommand("vote.hands");
  const notices = useNotices();
  const [typed, setTyped] = useState<Record<Choice, string>>({ for: "", against: "", abstain: "" });
  const counts = CHOICES.map(({ choice }) => [choice, Number(typed[choice] || "0")] as const);
  const submit = () =>
    void hands.send({ vote_id: vote.id, ...Object.fromEntries(counts) }).then((answer) => {
      if (!answer?.ok) return;
      notices.show({ kind: "ok", key: "hands", text: t("handsCounted") });
      onCounted();
    });
  return (
    <form
      className="vote-hands"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p className="vote-hands-title">{t("shownHands")}</p>
      {CHOICES.map(({ choice, word }) => (
        <label key={choice}>
          <span>{t(word)}</span>
          <input
            className="num"
            inputMode="numeric"
            value={typed[choice]}
            onChange={(event) => setTyped({ ...typed, [choice]: event.target.value.replace(/\D/g, "").slice(0, 4) })}
          />
        </label>
      ))}
      <Action
        icon={CheckIcon}
        isBusy={hands.isBusy}
        isDisabled={isDisabled || counts.every(([choice]) => typed[choice] === "")}
        isSubmit
      >
        {t("saveHands")}
      </Action>
    </form>
  );
}
