// A meeting's page on a narrow screen: the open tab is scrolled into sight.

const current = document.querySelector(".tabs [aria-current]");
const row = current?.closest(".tabs");
if (row) row.scrollLeft = current.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
