package main

// views are all kinds of reports, in the order in which --help lists them.
var views = []view{histogramView, eventsView, headerView, statsView}
