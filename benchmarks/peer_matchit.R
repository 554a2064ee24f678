# MatchIt on given scores for `make bench-evaluation`: reads FOLDER/{score,treated,stratum}, waits for a line, matches,
# writes FOLDER/pairs (rows from 0: the treated, then their partners).
suppressMessages(library(MatchIt))
asked <- commandArgs(trailingOnly = TRUE)
folder <- asked[1]
rows <- file.size(file.path(folder, "score")) / 8
column <- function(name) readBin(file.path(folder, name), "double", rows)
score <- column("score")
people <- data.frame(treated = column("treated"), stratum = column("stratum"))
caliper <- as.numeric(asked[2])
settings <- list(treated ~ 1, data = people, method = "nearest", distance = score, m.order = "largest")
if (caliper > 0) settings$caliper <- caliper
if (asked[3] == "1") settings$exact <- ~stratum
cat("ready\n")
invisible(readLines(file("stdin"), n = 1))
matched <- do.call(matchit, settings)$match.matrix
cat("matched\n")
one <- as.numeric(rownames(matched)) - 1
other <- as.numeric(matched[, 1]) - 1
found <- !is.na(other)
writeBin(c(one[found], other[found]), file.path(folder, "pairs"))
