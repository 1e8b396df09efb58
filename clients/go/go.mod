module postern/clients/go

go 1.19
