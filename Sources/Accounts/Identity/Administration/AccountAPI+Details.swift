import Store

/// Accounts as administration sees them.
extension AccountAPI {
    /// An account without what other records say about it.
    static func summary(of account: Account) -> AccountSummary {
        var summary = AccountSummary(
            account: "\(realm.rawValue):\(account.id)",
            api: realm.rawValue,
            id: account.id,
            externalID: nil,
            email: account.email,
            emailConfirmed: account.isEmailProven,
            firstName: account.names[0],
            lastName: account.names[1],
            role: nil,
            phone: nil,
            locale: account.locale,
            created: account.created,
            disabled: account.disabled
        )
        account.describe(in: &summary)
        return summary
    }

    /// An account with its sessions, locks, codes, other addresses and metadata.
    func details(of account: Account, at now: Timestamp, in tx: Transaction) throws -> AccountDetails {
        let pending = try tx.get(EmailChange.self, Key(Self.realm.rawValue, account.id))
        var details = AccountDetails(
            account: Self.summary(of: account),
            npi: nil,
            source: nil,
            brandID: nil,
            referralCode: nil,
            sessions: try sessions.open(of: account.id, at: now, in: tx).map { session in
                AccountSession(
                    id: session.number,
                    created: session.created,
                    lastUsed: sessions.lastUse(of: session),
                    expires: sessions.expiry(of: session),
                    ip: session.ip,
                    agent: session.agent
                )
            },
            locks: try locks(of: account.id, at: now, in: tx),
            knownNetworks: try SignInLockout(Self.realm).known(of: account.id, at: now, in: tx).map { network, time in
                AccountNetwork(network: network, signedIn: time)
            },
            codes: try codes.unused(of: account.id, at: now, in: tx).map { code in
                AccountCode(purpose: code.purpose.inSnakeCase, expires: code.expires)
            },
            pendingEmail: pending.flatMap { change in
                change.expires > now ? AccountAddress(email: change.email, expires: change.expires) : nil
            },
            earlierEmails: try reversals.open(of: account.id, at: now, in: tx).map { reversal in
                AccountAddress(email: reversal.email, expires: reversal.expires)
            },
            metadata: try metadata(of: account.id, in: tx)
        )
        account.describe(in: &details)
        return details
    }

    /// The locks in force, those that do not depend on an address first.
    private func locks(of account: Int, at now: Timestamp, in tx: Transaction) throws -> [AccountLock] {
        let general = try Lockout.Scope.allCases.compactMap { scope in
            try Lockout(Self.realm, scope).secondsLeft(for: account, at: now, in: tx).map { seconds in
                AccountLock(scope: scope.rawValue.inSnakeCase, network: nil, until: now.adding(seconds: seconds))
            }
        }
        let ofNetworks = try SignInLockout(Self.realm).locks(of: account, at: now, in: tx).map { network, seconds in
            AccountLock(
                scope: Lockout.Scope.signIn.rawValue.inSnakeCase,
                network: network,
                until: now.adding(seconds: seconds)
            )
        }
        return general + ofNetworks
    }
}

extension PasswordAccount {
    /// For APIs whose accounts have no further properties in a summary.
    package func describe(in summary: inout AccountSummary) {}

    /// For APIs whose accounts have no further properties in the details.
    package func describe(in details: inout AccountDetails) {}
}

extension String {
    /// A stored name, as the wire has it: `change-email` → `change_email`.
    fileprivate var inSnakeCase: String { String(map { $0 == "-" || $0 == " " ? "_" : $0 }) }
}
