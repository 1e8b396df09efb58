module accounts

go 1.19

require github.com/postern-accounts/postern-go v0.0.0

replace github.com/postern-accounts/postern-go => ../../../clients/go
