import Accounts
import JSONRPC

/// The handlers of the methods of `admin`.
struct AdminHandlers {
    let apis: AccountAPIs

    private var administration: Administration { Administration(apis) }

    // MARK: Accounts

    func accountsList(_ params: AdminWire.AccountsListParams) throws -> AdminWire.AccountPage {
        AdminWire.AccountPage(
            try administration.accounts(
                api: params.api,
                search: params.search,
                after: params.after,
                limit: params.limit
            )
        )
    }

    func accountsCreate(_ params: AdminWire.AccountsCreateParams) throws -> Progress<AccountSummary> {
        let new = try NewAccount(
            api: params.api,
            email: params.email,
            password: params.password,
            texts: [
                (.firstName, params.firstName), (.lastName, params.lastName), (.phone, params.phone),
                (.role, params.role), (.source, params.source), (.brandID, params.brandID),
            ],
            emailConfirmed: params.emailConfirmed,
            actor: params.actor
        )
        return try apis[new.realm].create(new)
    }

    func accountsShow(_ params: AdminWire.AccountsShowParams) throws -> AdminWire.AccountDetails {
        let operation = try AccountOperation(account: params.account)
        return AdminWire.AccountDetails(try apis[operation.realm].details(operation))
    }

    func accountsDisable(_ params: AdminWire.AccountsDisableParams) throws -> AdminWire.AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.AccountSummary(try apis[operation.realm].disable(operation))
    }

    func accountsEnable(_ params: AdminWire.AccountsEnableParams) throws -> AdminWire.AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.AccountSummary(try apis[operation.realm].enable(operation))
    }

    func accountsUnlock(_ params: AdminWire.AccountsUnlockParams) throws -> AdminWire.AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.AccountSummary(try apis[operation.realm].unlock(operation))
    }

    func accountsConfirm(_ params: AdminWire.AccountsConfirmParams) throws -> AdminWire.AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.AccountSummary(try apis[operation.realm].confirmEmail(operation))
    }

    func accountsEndSessions(_ params: AdminWire.AccountsEndSessionsParams) throws -> AdminWire.EndedSessions {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.EndedSessions(try apis[operation.realm].endSessions(operation))
    }

    func accountsSetPassword(_ params: AdminWire.AccountsSetPasswordParams) throws -> Progress<AccountSummary> {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].setPassword(operation, password: params.password)
    }

    func accountsSetAppMetadata(_ params: AdminWire.AccountsSetAppMetadataParams) throws -> AdminWire.Metadata {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return AdminWire.Metadata(try apis[operation.realm].setAppMetadata(operation, to: params.appMetadata))
    }

    func accountsDelete(_ params: AdminWire.AccountsDeleteParams) throws {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        try apis[operation.realm].delete(operation)
    }

    func accountsExport(_ params: AdminWire.AccountsExportParams) throws -> AdminWire.AccountExport {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        let bytesMax = JSONRPC.Limits.answerBytesMax
        return AdminWire.AccountExport(try apis[operation.realm].export(operation, bytesMax: bytesMax))
    }

    // MARK: Invitations

    func invitationsCreate(_ params: AdminWire.InvitationsCreateParams) throws -> AdminWire.NewInvitation {
        AdminWire.NewInvitation(
            try administration.invite(
                role: params.role,
                uses: params.uses,
                seconds: params.seconds,
                actor: params.actor
            )
        )
    }

    func invitationsList(_ params: AdminWire.InvitationsListParams) throws -> AdminWire.InvitationList {
        AdminWire.InvitationList(try administration.invitations(after: params.after, limit: params.limit))
    }

    func invitationsRevoke(_ params: AdminWire.InvitationsRevokeParams) throws {
        try administration.revokeInvitation(params.id, actor: params.actor)
    }

    // MARK: Mails

    func outboxList(_ params: AdminWire.OutboxListParams) throws -> AdminWire.OutboxPage {
        AdminWire.OutboxPage(try administration.mails(after: params.after, limit: params.limit))
    }

    func outboxShow(_ params: AdminWire.OutboxShowParams) throws -> AdminWire.OutboxMailText {
        AdminWire.OutboxMailText(try administration.mail(params.id))
    }

    func outboxRetry(_ params: AdminWire.OutboxRetryParams) throws -> AdminWire.OutboxEntry {
        AdminWire.OutboxEntry(try administration.retryMail(params.id, actor: params.actor))
    }

    func outboxDeliver(_ params: AdminWire.OutboxDeliverParams) throws -> AdminWire.DueMails {
        AdminWire.DueMails(try administration.retryMails(actor: params.actor))
    }

    // MARK: The audit trail

    func events(_ params: AdminWire.EventsParams) throws -> AdminWire.EventPage {
        AdminWire.EventPage(
            try administration.events(after: params.after, limit: params.limit, account: params.account)
        )
    }
}
