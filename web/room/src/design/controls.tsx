/** Buttons and small controls that every part of the room uses. */
import { useEffect, useRef, type ReactNode } from "react";
import { CloseIcon, type Icon } from "./icons";
import { t } from "../i18n/language";

interface BarButtonProps {
  icon: Icon;
  label: string;
  /** The state in words below the label; never colour alone. */
  detail?: string;
  isPressed?: boolean;
  isBusy?: boolean;
  /** A locked button stays reachable and says why when pressed. */
  isLocked?: boolean;
  tone?: "plain" | "on" | "off" | "floor" | "danger";
  count?: number;
  countLabel?: string;
  shortcut?: string;
  hasPopup?: boolean;
  isExpanded?: boolean;
  className?: string;
  onPress: () => void;
}

/** A button of the room's bottom bar: picture, word, and state in words. */
export function BarButton(props: BarButtonProps) {
  const { icon: Picture, label, detail, isPressed, isBusy, isLocked, tone = "plain", count = 0 } = props;
  return (
    <button
      type="button"
      className={`bar-button tone-${tone} ${props.className ?? ""}`}
      aria-pressed={isPressed}
      aria-disabled={isLocked || isBusy || undefined}
      aria-busy={isBusy || undefined}
      aria-keyshortcuts={props.shortcut}
      aria-haspopup={props.hasPopup ? "menu" : undefined}
      aria-expanded={props.isExpanded}
      onClick={() => {
        if (!isBusy) props.onPress();
      }}
    >
      <span className="bar-picture">
        {isBusy ? <Spinner /> : <Picture />}
        {count > 0 && (
          <span className="bar-count" aria-label={props.countLabel}>
            {count > 99 ? "99+" : count}
          </span>
        )}
      </span>
      <span className="bar-label">{label}</span>
      {detail && <span className="bar-detail">{detail}</span>}
    </button>
  );
}

interface ActionProps {
  children: ReactNode;
  icon?: Icon;
  isBusy?: boolean;
  isDisabled?: boolean;
  tone?: "plain" | "primary" | "danger" | "floor";
  /** Full accessible name where the visible word repeats in every row. */
  name?: string;
  shortcut?: string;
  className?: string;
  isWordless?: boolean;
  /** Sends the form around it, also by Enter in a field; needs no `onPress`. */
  isSubmit?: boolean;
  onPress?: () => void;
}

/** An ordinary button with optional picture; busy until the server has answered. */
export function Action(props: ActionProps) {
  const Picture = props.icon;
  return (
    <button
      type={props.isSubmit ? "submit" : "button"}
      className={`button button-${props.tone ?? "plain"} ${props.isWordless ? "button-icon" : ""} ${props.className ?? ""}`}
      aria-label={props.name}
      aria-busy={props.isBusy || undefined}
      aria-disabled={props.isBusy || undefined}
      aria-keyshortcuts={props.shortcut}
      disabled={props.isDisabled}
      onClick={() => {
        if (!props.isBusy) props.onPress?.();
      }}
    >
      {props.isBusy ? <Spinner /> : Picture ? <Picture size={20} /> : null}
      {!props.isWordless && <span>{props.children}</span>}
    </button>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}

interface DialogProps {
  title: string;
  children: ReactNode;
  onClose: () => void;
  actions?: ReactNode;
  className?: string;
}

/** A modal dialog: focus moves in, Escape closes, focus returns to where it was. */
export function Dialog({ title, children, onClose, actions, className }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement as HTMLElement | null;
    if (dialog && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>("[data-first-focus] button, button[data-first-focus]")?.focus();
    return () => before?.focus();
  }, []);
  return (
    <dialog
      ref={element}
      className={`dialog ${className ?? ""}`}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" className="button button-icon" aria-label={t("close")} onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      <div className="dialog-body">{children}</div>
      {actions && <footer className="dialog-actions">{actions}</footer>}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  effect: string;
  /** Repeats the verb: “Kết thúc cho tất cả”, never “OK”. */
  verb: string;
  isBusy: boolean;
  onConfirm: () => void;
  onCancel: () => void;
}

/** Asks before what cannot be undone; the safe choice has the focus. */
export function Confirm({ title, effect, verb, isBusy, onConfirm, onCancel }: ConfirmProps) {
  return (
    <Dialog
      title={title}
      onClose={onCancel}
      actions={
        <>
          <span data-first-focus>
            <Action onPress={onCancel}>{t("goBack")}</Action>
          </span>
          <Action tone="danger" isBusy={isBusy} onPress={onConfirm}>
            {verb}
          </Action>
        </>
      }
    >
      <p>{effect}</p>
    </Dialog>
  );
}
