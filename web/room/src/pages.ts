/** What every ordinary page loads: the typefaces and htmx (kept as `window.htmx`). */
import htmx from "htmx.org";
import "./design/fonts.css";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

// Answers with an error status still carry a page to show (a form with its mistakes named).
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "4(00|09|22)", swap: true },
  { code: "[45]..", swap: false, error: true },
];
// The page's own stylesheet has the indicator's rules; an injected <style> would break the CSP.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;

window.htmx = htmx;
