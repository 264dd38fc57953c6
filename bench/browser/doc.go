// Package browser holds the tests that look at Overnight's pages in Chromium: the
// report and the dashboard. Start with pages (which they are) and TestControls.
//
// It is a module of its own, so that the binary does not depend on chromedp. What
// each page must show:
//   - no message of error or warning in the console, no violation of its content
//     security policy, no request beyond those it names;
//   - every control does something when it is clicked, and can be reached with Tab;
//   - axe-core finds nothing, in light, dark and narrow;
//   - a screen of 360 pixels needs no scrolling sideways.
//
// axe-core (Mozilla Public License 2.0) is vendored in testdata, verified by its
// SHA-256. TestImages writes the pictures of the documentation:
//
//	go test -run TestImages -args -images ../../docs/images
package browser
