import Store

/// An operator's clients, and the change feed that devices follow.
extension Operators {
    /// Adds a client. If the operator has a client with the same email, that client is updated instead, and restored if
    /// it was deleted.
    package func createClient(session: SessionFields, _ given: Given<ClientFields>) throws -> Client {
        let now = environment.time.now
        return try environment.store.write { tx in
            tx.prefetch { announceCreation(session, given, to: &$0) }
            var account = try authenticated(session, at: now, in: tx)
            let given = try OperatorRules.present(given, "client")
            let person = try OperatorRules.person(given.person, at: "client.user")
            let address = try OperatorRules.text(
                given.address,
                "client.address",
                charactersMax: Limits.addressCharactersMax
            )
            account.lastChange += 1
            try tx.update(account)
            if var client = try clientToReplace(of: account, person.email, in: tx) {
                client.person.firstName = person.first
                client.person.lastName = person.last
                client.person.email = person.email.text
                client.address = address
                client.change = account.lastChange
                client.deleted = nil
                try tx.update(client)
                try record(.updated, of: client, at: now, in: tx)
                return client
            }
            let client = Client(
                id: try tx.nextNumber(of: Client.self),
                operatorID: account.id,
                created: now,
                person: try Person(person, at: now, in: tx),
                address: address,
                change: account.lastChange,
                deleted: nil
            )
            try tx.insert(client)
            try record(.created, of: client, at: now, in: tx)
            return client
        }
    }

    /// Announces what the creation of a client reads, if the params are valid. A client that exists needs no numbers.
    private func announceCreation(
        _ session: SessionFields,
        _ given: Given<ClientFields>,
        to announced: inout Prefetch
    ) {
        guard let id = session.userID.value, Key.numbers.contains(id), let token = session.sessionID.value,
            let fields = given.value, let person = try? OperatorRules.person(fields.person, at: ""),
            (try? OperatorRules.text(fields.address, "", charactersMax: Limits.addressCharactersMax)) != nil
        else { return }
        let key = Key(id, person.email.canonical)
        announced.find(Client.byEmail, key)
        announced.scan(Client.byEmailOfDeleted, prefix: key, descending: true, limit: 1)
        let (present, absent) = (StoreKey(Session.self, sessions.key(of: token)), Client.byEmail.entry(of: key))
        announced.nextNumber(of: Client.self, present: present, absent: absent)
        announced.next(Person.counter, present: present, absent: absent)
    }

    private func record(_ change: EventChange, of client: Client, at now: Timestamp, in tx: Transaction) throws {
        let detail = EventDetail(client: client.id, change: change)
        try audit.record(.clientChanged, of: client.operatorID, by: .account, detail: detail, at: now, in: tx)
    }

    /// The operator's live client with an email, or else the deleted client with the highest number.
    private func clientToReplace(of account: Operator, _ email: EmailAddress, in tx: Transaction) throws -> Client? {
        let key = Key(account.id, email.canonical)
        if let client = try tx.find(Client.byEmail, key) { return client }
        return try tx.scan(Client.byEmailOfDeleted, prefix: key, descending: true, limit: 1).first
    }

    /// The clients whose change number is at least `provision`, the latest change first, and the `provision` of the
    /// next request. With `provision` 0, deleted clients are omitted; with a higher one they are included, so that a
    /// device learns that they are deleted.
    ///
    /// - Parameters:
    ///   - limit: returns only the oldest changes, at most this many. The next request continues after them.
    ///   - replyBytesMax: the maximum length of the reply.
    /// - Throws: `ReplyTooLong` as soon as the reply is certain to be longer, without reading the other clients.
    package func clients(
        session: SessionFields,
        provision: Given<Int>,
        limit: Given<Int> = .absent,
        replyBytesMax: Int = .max
    ) throws -> (clients: [Client], next: Int) {
        let now = environment.time.now
        return try environment.store.read { tx in
            tx.prefetch { announced in
                guard let id = session.userID.value, Key.numbers.contains(id), limit.value == nil,
                    let provision = provision.value, Key.numbers.contains(provision)
                else { return }
                announced.scan(
                    Client.byChange,
                    prefix: Key(id),
                    from: Key(id, provision),
                    descending: true,
                    limit: Limits.clientsPerScanMax
                )
            }
            let account = try storedAccount(session, at: now, in: tx)
            let provision = try OperatorRules.present(provision, "provision")
            guard provision >= 0 else { throw AccountError(ErrorCode.Operators.fieldInvalid, field: "provision") }
            let next = account.record.lastChange + 1
            let limit = try OperatorRules.limit(limit, "limit")
            guard provision < next else { return ([], next) }
            var bound = ReplyBound(bytesMax: replyBytesMax)
            if let limit {
                let clients = try oldestChanges(of: account.record, from: provision, limit: limit, &bound, in: tx)
                guard clients.count == limit, let latest = clients.first else { return (clients, next) }
                return (clients, latest.change + 1)
            }
            return (try latestChanges(of: account.record, from: provision, &bound, in: tx), next)
        }
    }

    /// All clients that a request with `provision` returns, the latest change first.
    private func latestChanges(
        of account: Operator,
        from provision: Int,
        _ bound: inout ReplyBound,
        in tx: Transaction
    ) throws -> [Client] {
        var (clients, end): ([Client], Key?) = ([], nil)
        while true {
            let page = try tx.scan(
                Client.byChange,
                prefix: Key(account.id),
                from: Key(account.id, provision),
                before: end,
                descending: true,
                limit: Limits.clientsPerScanMax
            )
            let found = provision == 0 ? page.filter { $0.deleted == nil } : page
            // Nearly all lists are one page. It is not copied and not measured.
            if end == nil { clients = found } else { clients += found }
            guard page.count == Limits.clientsPerScanMax, let last = page.last else { return clients }
            try bound.add(found)
            end = Key(account.id, last.change)
        }
    }

    /// The `limit` oldest changes of those that a request with `provision` returns, the latest first.
    private func oldestChanges(
        of account: Operator,
        from provision: Int,
        limit: Int,
        _ bound: inout ReplyBound,
        in tx: Transaction
    ) throws -> [Client] {
        var (clients, from): ([Client], Int) = ([], provision)
        // With `provision` 0, the deleted clients of each page are omitted, so several pages may be needed.
        while clients.count < limit {
            let count = min(limit - clients.count, Limits.clientsPerScanMax)
            let page = try tx.scan(
                Client.byChange,
                prefix: Key(account.id),
                from: Key(account.id, from),
                limit: count
            )
            let found = provision == 0 ? page.filter { $0.deleted == nil } : page
            clients += found
            guard page.count == count, let last = page.last, clients.count < limit else { break }
            try bound.add(found)
            from = last.change + 1
        }
        return clients.reversed()
    }

    /// Changes the given properties of a client. Absent properties stay unchanged.
    package func updateClient(session: SessionFields, id: Given<Int>, _ given: Given<ClientFields>) throws -> Client {
        try change(session: session, id: id, .updated) { client, _ in
            let given = try OperatorRules.present(given, "client")
            if !given.person.isAbsent {
                try edit(&client.person, try OperatorRules.present(given.person, "client.user"))
            }
            if !given.address.isAbsent {
                client.address = try OperatorRules.text(
                    given.address,
                    "client.address",
                    charactersMax: Limits.addressCharactersMax
                )
            }
        }
    }

    private func edit(_ person: inout Person, _ given: PersonFields) throws {
        try person.rename(given, at: "client.user")
        if !given.email.isAbsent {
            person.email = try OperatorRules.email(given.email, "client.user.email").text
        }
    }

    /// Deletes a client. A tombstone stays in the change feed, so that devices learn of the deletion.
    package func deleteClient(session: SessionFields, id: Given<Int>) throws -> Client {
        try change(session: session, id: id, .deleted) { client, now in client.deleted = now }
    }

    /// Changes one client of the operator and assigns the next change number.
    ///
    /// - Throws: `client_not_found`, also for a client of another operator and for a deleted client.
    private func change(
        session: SessionFields,
        id: Given<Int>,
        _ kind: EventChange,
        _ change: (inout Client, Timestamp) throws -> Void
    ) throws -> Client {
        let now = environment.time.now
        return try environment.store.write { tx in
            var account = try authenticated(session, at: now, in: tx)
            let id = try OperatorRules.present(id, "client_id")
            guard Key.numbers.contains(id), var client = try tx.get(Client.self, Key(id)),
                client.operatorID == account.id, client.deleted == nil
            else { throw AccountError(ErrorCode.Operators.clientNotFound) }
            let email = client.person.email
            try change(&client, now)
            // An unchanged email belongs to this client and needs no check.
            if client.person.email != email,
                let holder = try tx.find(Client.byEmail, Key(account.id, client.person.email.lowercased())),
                holder.id != client.id
            {
                throw AccountError(ErrorCode.Operators.clientEmailTaken)
            }
            account.lastChange += 1
            client.change = account.lastChange
            try tx.update(account)
            try tx.update(client)
            try record(kind, of: client, at: now, in: tx)
            return client
        }
    }
}
