/** Times as the house writes them: 8:42, 2:41:07, 02:13. */

const LOCAL_ZONE = "Asia/Ho_Chi_Minh";

/** Elapsed time: `02:13`, from one hour on `1:02:13`. Negative spans read as zero. */
export function elapsed(sinceMs: number, nowMs: number): string {
  const total = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`;
}

/** A length given in seconds: `05:00`. */
export function minutesOf(seconds: number): string {
  return elapsed(0, seconds * 1000);
}

/** Time of day in the province, without a leading zero: `8:42`. */
export function timeOfDay(ms: number): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: LOCAL_ZONE,
    hour: "numeric",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(ms);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${Number(part("hour"))}:${part("minute")}`;
}

/** `10/12/2026` in the province's calendar. */
export function dayOf(ms: number): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone: LOCAL_ZONE,
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
  }).format(ms);
}

/** A span as a meeting writes it: `8:00–11:00, 10/12/2026`. */
export function spanOf(startsAt: string, endsAt: string): string {
  const [start, end] = [Date.parse(startsAt), Date.parse(endsAt)];
  const days = dayOf(start) === dayOf(end) ? dayOf(start) : `${dayOf(start)}–${dayOf(end)}`;
  return `${timeOfDay(start)}–${timeOfDay(end)}, ${days}`;
}
