/** How a vote came out: counts and shares of all ballots, in words, figures and bars. */
import type { Totals } from "../conduct/protocol";
import { t } from "../i18n/language";
import { CHOICES, percent } from "./choices";

export function Result({ totals, eligibleCount }: { totals: Totals; eligibleCount: number }) {
  const whole = CHOICES.reduce((sum, { choice }) => sum + totals[choice], 0);
  return (
    <div className="vote-result">
      <table>
        <caption className="unseen">{t("voteResult")}</caption>
        <tbody>
          {CHOICES.map(({ choice, word }) => (
            <tr key={choice}>
              <th scope="row">{t(word)}</th>
              <td className="num">{totals[choice]}</td>
              <td className="num">{percent(totals[choice], whole)}</td>
              <td className="vote-bar" aria-hidden="true">
                <progress className={`vote-share vote-share-${choice}`} max={Math.max(1, whole)} value={totals[choice]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="vote-note num">{t("ballotsOf", { cast: whole, eligible: eligibleCount })}</p>
    </div>
  );
}
