import type { SVGProps } from 'react';

type IconProps = SVGProps<SVGSVGElement> & { size?: number };

export function icon(path: string) {
  return function Icon({ size = 18, ...rest }: IconProps) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth={2}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden
        focusable={false}
        {...rest}
      >
        <path d={path} />
      </svg>
    );
  };
}

export const IconCheck = icon('M5 12l5 5L20 7');
export const IconX = icon('M6 6l12 12M18 6L6 18');
export const IconPlus = icon('M12 5v14M5 12h14');
export const IconTrash = icon('M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3');
export const IconSpinner = icon('M12 3a9 9 0 1 0 9 9');
export const IconHand = icon(
  'M8 13V6a1.5 1.5 0 0 1 3 0v5m0-6a1.5 1.5 0 0 1 3 0v6m0-4a1.5 1.5 0 0 1 3 0v7a6 6 0 0 1-6 6h-1a6 6 0 0 1-5-3l-2.5-4a1.5 1.5 0 0 1 2.5-1.6L8 15',
);
export const IconClock = icon('M12 7v5l3 3M12 3a9 9 0 1 0 .01 0');
export const IconPlay = icon('M7 5v14l12-7z');
export const IconDashed = icon(
  'M12 3a9 9 0 0 1 4 1M20 8a9 9 0 0 1 0 8M16 20a9 9 0 0 1-8 0M4 16a9 9 0 0 1 0-8M8 4a9 9 0 0 1 4-1',
);
export const IconBan = icon('M12 3a9 9 0 1 0 .01 0M5.7 5.7l12.6 12.6');
export const IconMoon = icon('M20 14A8 8 0 1 1 10 4a6.5 6.5 0 0 0 10 10z');
export const IconSun = icon(
  'M12 8a4 4 0 1 0 .01 0M12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5',
);
export const IconSystem = icon('M4 5h16v11H4zM9 20h6M12 16v4');
export const IconSearch = icon('M10 4a6 6 0 1 0 .01 0M15 15l5 5');
export const IconLink = icon('M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1');
export const IconDownload = icon('M12 4v11M7 11l5 5 5-5M5 20h14');
export const IconChevron = icon('M9 6l6 6-6 6');
export const IconAlert = icon('M12 4l9 16H3zM12 10v4M12 17v.01');
export const IconRefresh = icon('M20 11a8 8 0 1 0-2 6M20 5v6h-6');
export const IconBranch = icon(
  'M7 4v16M7 4a2 2 0 1 0 .01 0M17 8a2 2 0 1 0 .01 0M17 10c0 4-10 3-10 7M7 18a2 2 0 1 0 .01 0',
);
export const IconStar = icon('M12 4l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z');
export const IconSort = icon('M8 5v14M5 16l3 3 3-3M16 19V5M13 8l3-3 3 3');
export const IconRows = icon('M4 6h16M4 12h16M4 18h16');
export const IconApproval = icon('M12 3a9 9 0 1 0 .01 0M8 12l3 3 5-6');
export const IconForm = icon(
  'M5 6h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2zM8 10v4M6.5 10h3M6.5 14h3',
);
export const IconPlug = icon('M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4');
export const IconStop = icon('M7 7h10v10H7z');
export const IconExpand = icon('M9 4H4v5M15 4h5v5M4 15v5h5M20 15v5h-5');
export const IconDown = icon('M6 9l6 6 6-6');
export const IconUp = icon('M6 15l6-6 6 6');
export const IconPause = icon('M9 6v12M15 6v12M12 3a9 9 0 1 0 .01 0');
export const IconSkip = icon('M5 12h14M12 3a9 9 0 1 0 .01 0');
export const IconFull = icon('M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5');
export const IconMinus = icon('M5 12h14');
export const IconCopy = icon('M9 9h11v11H9zM15 9V4H4v11h5');
