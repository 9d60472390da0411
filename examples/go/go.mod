module partner-scorer

go 1.19
