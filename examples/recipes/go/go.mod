module accounts

go 1.19

require postern/clients/go v0.0.0

replace postern/clients/go => ../../../clients/go
