// Package player says what a page plays of an item, to whom, and when that changes.
//
// It promises that a viewer gets an item under the same conditions as its files: everybody if it is public or unlisted,
// with a signed link, or as a user who may see the item. What it names for a page can be fetched under the condition
// that let the viewer in. It must not know HTTP nor HTML, nor how a browser plays.
package player
