/** Keeps the screen from going dark while somebody is in a meeting, where the browser can. */
import { useEffect } from "react";

export function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let isWanted = true;
    const take = async () => {
      if (!isWanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      // A low battery may refuse it; the meeting goes on.
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      if (!isWanted) void lock?.release();
    };
    void take();
    // The browser drops the lock when the page is hidden.
    document.addEventListener("visibilitychange", take);
    return () => {
      isWanted = false;
      document.removeEventListener("visibilitychange", take);
      void lock?.release();
    };
  }, []);
}
