module github.com/postern-accounts/postern-go

go 1.19
