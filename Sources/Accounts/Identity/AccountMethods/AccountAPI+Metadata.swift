package import JSON
package import Store

/// The metadata of accounts: two objects that the service stores and does not interpret.
///
/// `metadata` is set by the account itself, so a program must not trust it with a plan or a right. `app_metadata` is
/// set by administration only. Both are in one record, which most accounts do not have, so that an account's own record
/// stays short.
extension AccountAPI {
    /// The metadata of the caller's account.
    package func metadata(_ credential: Credential) throws -> Metadata {
        let now = environment.time.now
        return try environment.store.read { tx in
            let account = try authenticated(credential, at: now, in: tx)
            return try metadata(of: account.id, in: tx)
        }
    }

    /// Replaces all of the metadata that the caller's account has set.
    package func setMetadata(_ credential: Credential, metadata: Given<CompactObject>) throws -> Metadata {
        let now = environment.time.now
        return try environment.store.write { tx in
            let account = try authenticated(credential, at: now, in: tx)
            let metadata = try Rules.metadata(metadata, "metadata")
            return try changeMetadata(of: account.id, by: .account, at: now, in: tx) { $0.metadata = metadata }
        }
    }

    /// The metadata of an account.
    func metadata(of account: Int, in tx: Transaction) throws -> Metadata {
        Metadata(try storedMetadata(of: account, in: tx))
    }

    /// Changes an account's metadata. If nothing is left in it, its record is deleted.
    func changeMetadata(
        of account: Int,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction,
        _ change: (inout AccountMetadata) -> Void
    ) throws -> Metadata {
        let stored = try storedMetadata(of: account, in: tx)
        var changed = stored
        change(&changed)
        guard changed != stored else { return Metadata(stored) }
        if changed.isEmpty {
            try tx.delete(AccountMetadata.self, changed.key)
        } else {
            try tx.save(changed)
        }
        try audit.record(.profileChanged, of: account, by: source, at: now, in: tx)
        return Metadata(changed)
    }

    /// The record of an account's metadata, or an empty one if the account has none.
    private func storedMetadata(of account: Int, in tx: Transaction) throws -> AccountMetadata {
        let empty = AccountMetadata(
            realm: Self.realm.rawValue,
            account: account,
            metadata: CompactObject(),
            appMetadata: CompactObject()
        )
        return try tx.get(AccountMetadata.self, empty.key) ?? empty
    }
}

extension AccountMetadata: Record {
    package static let collection = Collection<AccountMetadata>("account metadata")

    package var key: Key { Key(realm, account) }

    /// Whether neither the account nor administration has set anything.
    fileprivate var isEmpty: Bool { metadata == CompactObject() && appMetadata == CompactObject() }
}

extension Metadata {
    fileprivate init(_ record: AccountMetadata) {
        self.init(metadata: record.metadata, appMetadata: record.appMetadata)
    }
}

extension CompactObject {
    /// Whether it is within the bounds of metadata.
    ///
    /// A line of the journal has more levels around the object than a request, so metadata has a lower limit than
    /// requests.
    package var isMetadata: Bool {
        bytes.count <= Limits.metadataBytesMax && depth <= Limits.metadataDepthMax
    }
}
