package main

// views are all kinds of reports, in the order of --help.
var views = []view{histogramView, eventsView, headerView, statsView}
