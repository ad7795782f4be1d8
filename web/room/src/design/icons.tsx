/**
 * The room's own pictures: 24 × 24 outlines, drawn with the colour of the text.
 * Each is hidden from screen readers; the word beside it speaks.
 */
import type { ReactNode } from "react";

export type Icon = (props: { size?: number }) => ReactNode;

function icon(drawing: ReactNode): Icon {
  return function Outline({ size = 24 }) {
    return (
      <svg
        className="icon"
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth={1.8}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {drawing}
      </svg>
    );
  };
}

const slash = <path d="M4 4l16 16" />;

const microphone = (
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0013 0M12 18v3M8.5 21h7" />
  </>
);

const camera = (
  <>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2" />
    <path d="M15.5 10.8l5.5-3v8.4l-5.5-3" />
  </>
);

export const MicrophoneIcon = icon(microphone);
export const MicrophoneOffIcon = icon(
  <>
    {microphone}
    {slash}
  </>,
);
export const MicrophoneLockedIcon = icon(
  <>
    <path d="M8 12.5A3 3 0 016.5 10V6a3 3 0 016 0v2M3 9.5a6.5 6.5 0 005 6.3M9.5 16v5M6 21h6" />
    <rect x="13" y="13" width="8" height="7" rx="1.5" />
    <path d="M15 13v-1.8a2 2 0 014 0V13" />
  </>,
);
export const CameraIcon = icon(camera);
export const CameraOffIcon = icon(
  <>
    {camera}
    {slash}
  </>,
);
export const HandIcon = icon(
  <path d="M8 12V5.5a1.5 1.5 0 013 0V11M11 10.5V4a1.5 1.5 0 013 0v6.5M14 11V5.5a1.5 1.5 0 013 0V15a6 6 0 01-6 6c-2.5 0-4-1-5.2-3l-2.4-4a1.5 1.5 0 012.5-1.6L8 14.5" />,
);
export const HandDownIcon = icon(
  <>
    <path d="M8 12V5.5a1.5 1.5 0 013 0V11M11 10.5V4a1.5 1.5 0 013 0v6.5M14 11V5.5a1.5 1.5 0 013 0V15a6 6 0 01-6 6c-2.5 0-4-1-5.2-3l-2.4-4a1.5 1.5 0 012.5-1.6L8 14.5" />
    {slash}
  </>,
);
export const ScreenIcon = icon(
  <>
    <rect x="3" y="4" width="18" height="12.5" rx="2" />
    <path d="M8.5 20.5h7M12 16.5v4M12 13V7.5M9.5 10L12 7.5l2.5 2.5" />
  </>,
);
export const ScreenStopIcon = icon(
  <>
    <rect x="3" y="4" width="18" height="12.5" rx="2" />
    <path d="M8.5 20.5h7M12 16.5v4M9.7 8l4.6 4.6M14.3 8l-4.6 4.6" />
  </>,
);
export const ChatIcon = icon(
  <>
    <path d="M4 5h16a1 1 0 011 1v10a1 1 0 01-1 1h-9l-5 4v-4H4a1 1 0 01-1-1V6a1 1 0 011-1z" />
    <path d="M7.5 9.5h9M7.5 13h6" />
  </>,
);
export const SitesIcon = icon(
  <>
    <path d="M4 21V9l6-4v16M10 21V11h10v10M2.5 21h19" />
    <path d="M7 12.5v0M7 16.5v0M13.5 14.5h3M13.5 17.5h3" />
  </>,
);
export const LeaveIcon = icon(
  <>
    <path d="M14 4H6a1 1 0 00-1 1v14a1 1 0 001 1h8" />
    <path d="M10.5 12H21M17.5 8.5L21 12l-3.5 3.5" />
  </>,
);
export const SettingsIcon = icon(
  <>
    <path d="M4 7h9M17 7h3M4 17h3M11 17h9" />
    <circle cx="15" cy="7" r="2.2" />
    <circle cx="9" cy="17" r="2.2" />
  </>,
);
export const KeyboardIcon = icon(
  <>
    <rect x="2.5" y="6" width="19" height="12" rx="2" />
    <path d="M6.5 10v0M10 10v0M14 10v0M17.5 10v0M7.5 14.2h9" />
  </>,
);
export const SpeakerIcon = icon(<path d="M4 9.5h3.5L12 5.5v13l-4.5-4H4zM15.5 9a4.5 4.5 0 010 6M18 6.5a8 8 0 010 11" />);
export const RecordIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <circle cx="12" cy="12" r="4" fill="currentColor" stroke="none" />
  </>,
);
export const RecordStopIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <rect x="8.8" y="8.8" width="6.4" height="6.4" rx="0.8" fill="currentColor" stroke="none" />
  </>,
);
export const NextIcon = icon(<path d="M5 6l7 6-7 6zM16.5 6v12" />);
export const UpIcon = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const DownIcon = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const CheckIcon = icon(<path d="M4.5 12.5l5 5 10-11" />);
export const AlertIcon = icon(<path d="M12 3.5l9.5 16.5h-19zM12 10v4.5M12 17.4v0" />);
export const InfoIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.8" />
    <path d="M12 11v5.5M12 7.6v0" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="10.5" cy="10.5" r="6.5" />
    <path d="M15.5 15.5L21 21" />
  </>,
);
export const SendIcon = icon(<path d="M3.5 11.5L20.5 4l-5.5 16.5-3.5-7z M11.5 13.5l4-4" />);
export const DoorIcon = icon(
  <>
    <path d="M6 21V4a1 1 0 011-1h10a1 1 0 011 1v17M3.5 21h17" />
    <path d="M14.5 12v0" />
  </>,
);
export const StopIcon = icon(
  <>
    <path d="M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2z" />
    <path d="M9 9l6 6M15 9l-6 6" />
  </>,
);
export const RemoveIcon = icon(
  <>
    <circle cx="9.5" cy="8" r="4" />
    <path d="M2.5 20.5c.6-4.2 3.2-6.5 7-6.5 1.3 0 2.5.3 3.5.8M15.5 16l5 5M20.5 16l-5 5" />
  </>,
);
export const ConnectedIcon = icon(<path d="M4 18v-3M9.3 18v-6M14.7 18V9M20 18V5" />);
export const DisconnectedIcon = icon(
  <>
    <path d="M4 18v-3M9.3 18v-6M14.7 18V9" opacity={0.45} />
    <path d="M16.5 4l5 5M21.5 4l-5 5" />
  </>,
);
export const MoreIcon = icon(
  <>
    <circle cx="5" cy="12" r="1.4" fill="currentColor" />
    <circle cx="12" cy="12" r="1.4" fill="currentColor" />
    <circle cx="19" cy="12" r="1.4" fill="currentColor" />
  </>,
);
export const AgendaIcon = icon(<path d="M8.5 6H21M8.5 12H21M8.5 18H21M3.5 6h1M3.5 12h1M3.5 18h1" />);
export const VideoGridIcon = icon(
  <>
    <rect x="3" y="4.5" width="18" height="10" rx="1.5" />
    <path d="M3 18h5M10 18h5M17 18h4" strokeWidth={3} />
  </>,
);
export const WaitIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.8" />
    <path d="M12 7v5.2l3.5 2.3" />
  </>,
);

const pin = <path d="M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v6" />;

export const PinIcon = icon(pin);
export const PinOffIcon = icon(
  <>
    {pin}
    {slash}
  </>,
);
export const VoteIcon = icon(
  <>
    <path d="M5 12v8h14v-8M3 12h18M8.5 9.5l2.5 2.5 5-6.5" />
  </>,
);

export const SavingIcon = icon(
  <>
    <path d="M4 17v3M9 13v7" />
    <path d="M14 9v11M19 5v15" opacity="0.35" />
  </>,
);
