import Accounts
import JSONRPC

/// The handlers of the methods of `admin`.
struct AdminHandlers {
    let apis: AccountAPIs

    private var administration: Administration { Administration(apis) }

    // MARK: Accounts

    func accountsList(_ params: AdminWire.AccountsListParams) throws -> AccountPage {
        try administration.accounts(
            api: params.api,
            search: params.search,
            after: params.after,
            limit: params.limit
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

    func accountsShow(_ params: AdminWire.AccountsShowParams) throws -> AccountDetails {
        let operation = try AccountOperation(account: params.account)
        return try apis[operation.realm].details(operation)
    }

    func accountsDisable(_ params: AdminWire.AccountsDisableParams) throws -> AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].disable(operation)
    }

    func accountsEnable(_ params: AdminWire.AccountsEnableParams) throws -> AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].enable(operation)
    }

    func accountsUnlock(_ params: AdminWire.AccountsUnlockParams) throws -> AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].unlock(operation)
    }

    func accountsConfirm(_ params: AdminWire.AccountsConfirmParams) throws -> AccountSummary {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].confirmEmail(operation)
    }

    func accountsEndSessions(_ params: AdminWire.AccountsEndSessionsParams) throws -> EndedSessions {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].endSessions(operation)
    }

    func accountsSetPassword(_ params: AdminWire.AccountsSetPasswordParams) throws -> Progress<AccountSummary> {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].setPassword(operation, password: params.password)
    }

    func accountsSetAppMetadata(_ params: AdminWire.AccountsSetAppMetadataParams) throws -> Metadata {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        return try apis[operation.realm].setAppMetadata(operation, to: params.appMetadata)
    }

    func accountsDelete(_ params: AdminWire.AccountsDeleteParams) throws {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        try apis[operation.realm].delete(operation)
    }

    func accountsExport(_ params: AdminWire.AccountsExportParams) throws -> AccountExport {
        let operation = try AccountOperation(account: params.account, actor: params.actor)
        let bytesMax = JSONRPC.Limits.answerBytesMax
        return try apis[operation.realm].export(operation, bytesMax: bytesMax)
    }

    // MARK: Invitations

    func invitationsCreate(_ params: AdminWire.InvitationsCreateParams) throws -> NewInvitation {
        try administration.invite(
            role: params.role,
            uses: params.uses,
            seconds: params.seconds,
            actor: params.actor
        )
    }

    func invitationsList(_ params: AdminWire.InvitationsListParams) throws -> InvitationList {
        try administration.invitations(after: params.after, limit: params.limit)
    }

    func invitationsRevoke(_ params: AdminWire.InvitationsRevokeParams) throws {
        try administration.revokeInvitation(params.id, actor: params.actor)
    }

    // MARK: Mails

    func outboxList(_ params: AdminWire.OutboxListParams) throws -> OutboxPage {
        try administration.mails(after: params.after, limit: params.limit)
    }

    func outboxShow(_ params: AdminWire.OutboxShowParams) throws -> OutboxMailText {
        try administration.mail(params.id)
    }

    func outboxRetry(_ params: AdminWire.OutboxRetryParams) throws -> OutboxEntry {
        try administration.retryMail(params.id, actor: params.actor)
    }

    func outboxDeliver(_ params: AdminWire.OutboxDeliverParams) throws -> DueMails {
        try administration.retryMails(actor: params.actor)
    }

    // MARK: The audit trail

    func events(_ params: AdminWire.EventsParams) throws -> EventPage {
        try administration.events(after: params.after, limit: params.limit, account: params.account)
    }
}
