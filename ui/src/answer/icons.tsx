import { icon } from '../app/icons';

export const IconPerson = icon('M12 4a4 4 0 1 0 .01 0M4.5 20c1-4 4-6 7.5-6s6.5 2 7.5 6');
export const IconLock = icon('M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3');
export const IconInfo = icon('M12 3a9 9 0 1 0 .01 0M12 11v5M12 8v.01');
export const IconPlug = icon('M8 3v5M16 3v5M5 8h14v4a7 7 0 0 1-14 0zM12 19v3');
export const IconForm = icon('M4 6h16v12H4zM8 10h4M8 14h7');
export const IconApproval = icon('M12 3a9 9 0 1 0 .01 0M8 12.3l3 3 5.4-6');
export const IconCopy = icon('M9 9h11v11H9zM5 15H4V4h11v1');
export const IconRestore = icon('M4 9h11a5 5 0 0 1 0 10H9M4 9l4-4M4 9l4 4');
export const IconPrevious = icon('M15 6l-6 6 6 6');
export const IconEnter = icon('M19 6v7H6M10 9l-4 4 4 4');
