import Store

/// Random transactions, and what they must read.
extension Worker {
    /// Reads the order of all transactions so far, and returns the state that follows from it.
    ///
    /// - Parameter promised: how many transactions the result must have, because processes were told of them before.
    func readOrder(_ tx: Transaction, atLeast promised: Int) throws -> State {
        for link in try tx.all(Link.self, from: Key(known.count + 1)) where !staged.contains(link.transaction) {
            if link.version != known.count + 1 { note("number \(link.version) follows number \(known.count)") }
            known.append(link.transaction)
        }
        let all = try tx.all(Link.self, from: Key(known.count + 1)).map(\.transaction)
        if all != staged { note("it has written \(staged), and \(all) are read") }
        if known.count < promised { note("\(promised) transactions were acknowledged, and \(known.count) are read") }
        if let conflict = ledger.conflict(with: known) { note(conflict) }
        return ledger.state(after: known + staged)
    }

    /// Records why what was read must not be acknowledged.
    private func note(_ doubt: String) {
        if self.doubt == nil { self.doubt = doubt }
    }

    func check(_ readings: [State.Reading], _ state: State) {
        for reading in readings {
            if let fault = state.fault(in: reading) {
                note("after \(known.count) transactions and \(staged): \(fault)")
            }
        }
    }

    /// Reads something.
    func readings(_ tx: Transaction) throws -> [State.Reading] {
        try (0...random.below(3)).map { _ in
            let slot = random.below(Self.slots)
            switch random.below(6) {
            case 0: return .cell(slot, try tx.get(Cell.self, Key(slot)))
            case 1: return .named(slot, try tx.find(Cell.byName, Key(slot)))
            case 2:
                let ranks = random.below(Self.ranks)...Self.ranks
                let from = Key("all", ranks.lowerBound)
                return .ranked(ranks, try tx.scan(Cell.byRank, prefix: Key("all"), from: from))
            case 3: return .secret(slot, try tx.get(Secret.self, Key(slot)))
            case 4: return .waiting(try tx.scan(Mail.waiting))
            default: return .all(try tx.all(Cell.self), try tx.all(Secret.self), try tx.all(Mail.self))
            }
        }
    }

    private static let slots = 8
    private static let ranks = 5

    /// Runs a transaction that reads and writes.
    ///
    /// - Returns: the transaction, if it has written; and the mail that it has claimed.
    func write(_ store: Store, atLeast promised: Int) throws -> (transaction: Int?, claim: Int?) {
        let transaction = ledger.newTransaction()
        var writes: [State.Write] = []
        var version = 0
        var claim: Int?
        let seed = random.next()
        do {
            try store.write { tx in
                // The closure may run more than once, each time with the same choices.
                let choices = Randomness(seed: seed)
                let state = try readOrder(tx, atLeast: promised)
                check(try readings(tx), state)
                (writes, claim) = ([], nil)
                for _ in 0...choices.below(3) {
                    try change(tx, transaction, choices, state, &writes, &claim)
                }
                guard !writes.isEmpty else { throw Nothing() }
                version = try tx.nextNumber(of: Link.self)
                try tx.insert(Link(version: version, transaction: transaction))
            }
        } catch is Nothing {
            return (nil, nil)
        }
        if version != known.count + staged.count + 1 {
            note("a transaction after \(known.count) and \(staged.count) others got number \(version)")
        }
        ledger.attempt(transaction, version: version, writes)
        return (transaction, claim)
    }

    /// Thrown by a transaction that has found nothing to write.
    private struct Nothing: Error {}

    private func change(
        _ tx: Transaction,
        _ transaction: Int,
        _ choices: Randomness,
        _ state: State,
        _ writes: inout [State.Write],
        _ claim: inout Int?
    ) throws {
        let slot = choices.below(Self.slots)
        switch choices.below(10) {
        case 0...4:
            let long = machine.hasLongTexts ? 90_000 : choices.once(in: 20) ? 20_000 : 700
            let length = choices.one(of: [0, 5, 60, 400, long])
            let cell = Cell(
                slot: slot,
                name: choices.below(Self.slots),
                rank: choices.below(Self.ranks),
                transaction: transaction,
                length: length
            )
            guard try isFree(cell.name, for: slot, tx, state, writes) else { return }
            try tx.save(cell)
            writes.append(.cell(slot, cell))
        case 5:
            try tx.delete(Cell.self, Key(slot))
            writes.append(.cell(slot, nil))
        case 6:
            let secret = Secret(slot: slot, transaction: transaction)
            try tx.save(secret)
            writes.append(.secret(slot, secret))
        case 7:
            try tx.delete(Secret.self, Key(slot))
            writes.append(.secret(slot, nil))
        case 8:
            guard !writes.contains(where: { $0.isMail }) else { return }
            let mail = Mail(slot: transaction, state: .new)
            try tx.insert(mail)
            writes.append(.mail(mail))
        default:
            guard claim == nil, var mail = try tx.scan(Mail.waiting, limit: 1).first, mail.slot != transaction else {
                return
            }
            if case .claimed = mail.state {
                mail.state = .delivered
            } else {
                mail.state = .claimed(transaction: transaction)
                claim = mail.slot
            }
            try tx.update(mail)
            writes.append(.mail(mail))
        }
    }

    /// Whether a cell can get a name. A unique index must refuse it if and only if another cell has it.
    private func isFree(
        _ name: Int,
        for slot: Int,
        _ tx: Transaction,
        _ state: State,
        _ writes: [State.Write]
    ) throws -> Bool {
        var state = state
        state.apply(writes)
        let other = try tx.find(Cell.byName, Key(name))
        check([.named(name, other)], state)
        return other == nil || other?.slot == slot
    }
}

extension State.Write {
    fileprivate var isMail: Bool { if case .mail = self { true } else { false } }
}
