/** The “Thêm” button of the bar and its list. */
import { useEffect, useRef, useState } from "react";
import { BarButton } from "../design/controls";
import { MoreIcon, type Icon } from "../design/icons";
import { t } from "../i18n/language";

export interface MenuItem {
  icon: Icon;
  label: string;
  detail?: string;
  run: () => void;
}

export function Menu({ items, count, countLabel }: { items: MenuItem[]; count?: number; countLabel?: string }) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);

  const close = () => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>(".bar-button")?.focus();
  };

  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const pressedOutside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", pressedOutside);
    return () => document.removeEventListener("pointerdown", pressedOutside);
  }, [isOpen]);

  const move = (step: number) => {
    const entries = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const index = entries.indexOf(document.activeElement as HTMLElement);
    entries[(index + step + entries.length) % entries.length]?.focus();
  };

  return (
    <div
      className="menu"
      ref={root}
      onKeyDown={(event) => {
        if (!isOpen) return;
        if (event.key === "Escape" || event.key === "Tab") close();
        if (event.key === "ArrowDown") move(1);
        if (event.key === "ArrowUp") move(-1);
        if (["Escape", "ArrowDown", "ArrowUp"].includes(event.key)) event.preventDefault();
      }}
    >
      {isOpen && (
        <div className="menu-list" role="menu" aria-label={t("more")}>
          {items.map(({ icon: Picture, label, detail, run }) => (
            <button
              key={label}
              type="button"
              role="menuitem"
              className="menu-item"
              onClick={() => {
                close();
                run();
              }}
            >
              <Picture size={22} />
              <span>{label}</span>
              {detail && <span className="menu-detail">{detail}</span>}
            </button>
          ))}
        </div>
      )}
      <BarButton
        icon={MoreIcon}
        label={t("more")}
        hasPopup
        isExpanded={isOpen}
        count={count}
        countLabel={countLabel}
        onPress={() => setOpen((before) => !before)}
      />
    </div>
  );
}
