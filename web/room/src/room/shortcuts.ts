/**
 * Keys of the room: Alt and a letter, by the key's place so that a Vietnamese
 * keyboard driver does not change them. They can be switched off.
 */
import { useEffect, useRef, useState } from "react";
import type { Key } from "../i18n/language";

export interface Shortcut {
  letter: string;
  name: Key;
  run: () => void;
}

const STORED_AS = "diemcau.shortcuts";

interface Pressed {
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  code: string;
}

/** The shortcut a key press means, if any; Ctrl+Alt is AltGr and never one. */
export function shortcutFor<T extends { letter: string }>(pressed: Pressed, shortcuts: readonly T[]): T | undefined {
  if (!pressed.altKey || pressed.ctrlKey || pressed.metaKey || pressed.shiftKey) return undefined;
  return shortcuts.find((shortcut) => pressed.code === `Key${shortcut.letter}`);
}

export function useShortcuts(shortcuts: Shortcut[]): { areOn: boolean; setOn: (areOn: boolean) => void } {
  const [areOn, setAreOn] = useState(() => window.localStorage.getItem(STORED_AS) !== "off");
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    if (!areOn) return;
    const listen = (event: KeyboardEvent) => {
      const found = shortcutFor(event, current.current);
      if (!found) return;
      event.preventDefault();
      if (!event.repeat) found.run();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [areOn]);
  return {
    areOn,
    setOn: (next) => {
      window.localStorage.setItem(STORED_AS, next ? "on" : "off");
      setAreOn(next);
    },
  };
}
