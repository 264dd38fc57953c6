// Overnight's drawing code: figures (package figure, as JSON) drawn with Apache
// ECharts. It needs echarts.min.js before it and page.css beside it, in a page
// without quirks. It evaluates no text as code and sets styles through the CSSOM
// alone: "default-src 'none'; script-src 'self'; style-src 'self'" is enough.
//
//   Overnight.draw(element, figure)     draws a figure.Figure into an element: title
//                                       and caption (unless they are there already),
//                                       panels, legend, plot, table of the data
//   Overnight.update(element, figure)   new data of a drawn figure, or the first:
//                                       panel, toggles, zoom and focus stay
//   Overnight.lazy(element, figure)     draws when the element comes near the screen
//   Overnight.dispose(element)          takes the drawing away
//   Overnight.sortable(table)           buttons into the heads of a table, which sort
//                                       its rows; heads of class "number" as numbers
//   Overnight.fold(table, rows)         a button that shows the rows beyond so many
//   Overnight.theme(name)               "light", "dark" or "auto" for the whole page,
//                                       remembered; without a name: "light" or "dark"
//                                       as it is now
//   Overnight.themeButton(button)       makes a button that toggles the theme
//
// Panels with a replay have a slider below them; sliders of one label move together.
//
// An element's data-level is the level of its heading (3). A page whose policy
// allows inline styles says data-paper="vector" on <html>: then figures are
// printed as vectors. The bundle of ECharts holds what stands here and no more
// (results/page/echarts/entry.js).
