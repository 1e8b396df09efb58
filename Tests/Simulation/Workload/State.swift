/// The contents of the store after a number of transactions, as they should be.
struct State: Equatable {
    var cells: [Int: Cell] = [:]
    var secrets: [Int: Secret] = [:]
    var mails: [Int: Mail] = [:]

    /// A change by a transaction.
    enum Write: Equatable {
        case cell(Int, Cell?)
        case secret(Int, Secret?)
        case mail(Mail)
    }

    mutating func apply(_ writes: [Write]) {
        for write in writes {
            switch write {
            case .cell(let slot, let cell): cells[slot] = cell
            case .secret(let slot, let secret): secrets[slot] = secret
            case .mail(let mail): mails[mail.slot] = mail
            }
        }
    }

    /// What a transaction has read.
    enum Reading {
        case cell(Int, Cell?)
        case named(Int, Cell?)
        /// The cells with ranks in a range, in order.
        case ranked(ClosedRange<Int>, [Cell])
        case secret(Int, Secret?)
        /// A cell could not be saved under a name, because another one has it.
        case taken(name: Int, by: Int)
        case waiting([Mail])
        case all([Cell], [Secret], [Mail])
    }

    /// What is wrong with a reading; nil if it is right.
    func fault(in reading: Reading) -> String? {
        switch reading {
        case .cell(let slot, let cell):
            cells[slot] == cell ? nil : "cell \(slot) is \(cell.text), not \(cells[slot].text)"
        case .named(let name, let cell):
            named(name) == cell ? nil : "the cell with name \(name) is \(cell.text), not \(named(name).text)"
        case .ranked(let ranks, let found):
            ranked(ranks) == found ? nil : "the cells with ranks \(ranks) are \(found), not \(ranked(ranks))"
        case .secret(let slot, let secret):
            secrets[slot] == secret ? nil : "secret \(slot) is \(secret.text), not \(secrets[slot].text)"
        case .taken(let name, let slot):
            named(name).map { $0.slot != slot } ?? false
                ? nil : "the name \(name) was refused, and no other cell has it"
        case .waiting(let found):
            waiting == found ? nil : "the waiting mails are \(found), not \(waiting)"
        case .all(let cells, let secrets, let mails):
            cells == sorted(self.cells) && secrets == sorted(self.secrets) && mails == sorted(self.mails)
                ? nil
                : "the records are \(cells), \(secrets), \(mails), not \(sorted(self.cells)), "
                    + "\(sorted(self.secrets)), \(sorted(self.mails))"
        }
    }

    private func named(_ name: Int) -> Cell? { cells.values.first { $0.name == name } }

    private func ranked(_ ranks: ClosedRange<Int>) -> [Cell] {
        cells.values.filter { ranks.contains($0.rank) }.sorted { ($0.rank, $0.slot) < ($1.rank, $1.slot) }
    }

    private var waiting: [Mail] { sorted(mails).filter { $0.state != .delivered } }

    private func sorted<Value>(_ values: [Int: Value]) -> [Value] { values.sorted { $0.key < $1.key }.map(\.value) }
}

extension Optional {
    fileprivate var text: String { map { "\($0)" } ?? "missing" }
}
