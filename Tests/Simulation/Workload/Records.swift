import JSON
import Store

/// A record with a unique and an ordered index.
struct Cell: Record, Equatable {
    static let byName = UniqueIndex<Cell>("name") { Key($0.name) }
    static let byRank = OrderedIndex<Cell>("rank", isCounted: true) { Key("all", $0.rank, $0.slot) }
    static let collection = Collection("cells", unique: [byName], ordered: [byRank])

    /// Its key.
    let slot: Int
    /// A name that no other cell has.
    var name: Int
    var rank: Int
    /// The transaction that wrote it.
    var transaction: Int
    /// How many characters its text has.
    var length: Int

    var key: Key { Key(slot) }

    init(slot: Int, name: Int, rank: Int, transaction: Int, length: Int) {
        (self.slot, self.name, self.rank) = (slot, name, rank)
        (self.transaction, self.length) = (transaction, length)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        guard let slot = value["slot"]?.int, let name = value["name"]?.int, let rank = value["rank"]?.int,
            let transaction = value["transaction"]?.int, let text = value["text"]?.string
        else { throw JSONError(.typeMismatch, at: reader.offset) }
        self.init(slot: slot, name: name, rank: rank, transaction: transaction, length: text.utf8.count)
        guard text == self.text else { throw JSONError(.typeMismatch, at: reader.offset) }
    }

    /// Characters that depend on the transaction, so that the text of another one is noticed.
    private var text: String {
        String(repeating: "\(transaction % 10)", count: length)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for (property, number) in [("slot", slot), ("name", name), ("rank", rank), ("transaction", transaction)] {
            writer.property(named: property)
            writer.int(number)
        }
        writer.property("text")
        writer.string(text)
        writer.endObject()
    }
}

/// A record whose bytes are overwritten in the files after it is deleted or changed.
struct Secret: Record, Equatable {
    static let collection = Collection<Secret>("secrets", isErasable: true)

    /// Its key.
    let slot: Int
    /// The transaction that wrote it.
    let transaction: Int

    var key: Key { Key(slot) }

    /// What must not be in a file after the record is gone.
    var text: String { "secret-\(transaction)-of-\(slot)" }

    init(slot: Int, transaction: Int) {
        (self.slot, self.transaction) = (slot, transaction)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        guard let slot = value["slot"]?.int, let transaction = value["transaction"]?.int,
            value["text"]?.string == Secret(slot: slot, transaction: transaction).text
        else { throw JSONError(.typeMismatch, at: reader.offset) }
        self.init(slot: slot, transaction: transaction)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("slot")
        writer.int(slot)
        writer.property("transaction")
        writer.int(transaction)
        writer.property("text")
        writer.string(text)
        writer.endObject()
    }
}

/// A mail that one of several processes delivers. A process claims it first, so that no other one delivers it too.
struct Mail: Record, Equatable {
    static let waiting = OrderedIndex<Mail>("waiting") { $0.state == .delivered ? nil : Key($0.slot) }
    static let collection = Collection<Mail>("mails", ordered: [waiting])

    enum State: Equatable {
        case new
        /// Claimed by the process that ran this transaction.
        case claimed(transaction: Int)
        case delivered
    }

    /// Its key.
    let slot: Int
    var state: State

    var key: Key { Key(slot) }

    init(slot: Int, state: State) {
        (self.slot, self.state) = (slot, state)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        guard let slot = value["slot"]?.int, let state = value["state"]?.int else {
            throw JSONError(.typeMismatch, at: reader.offset)
        }
        self.init(slot: slot, state: state == 0 ? .new : state < 0 ? .delivered : .claimed(transaction: state))
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("slot")
        writer.int(slot)
        writer.property("state")
        switch state {
        case .new: writer.int(0)
        case .claimed(let transaction): writer.int(transaction)
        case .delivered: writer.int(-1)
        }
        writer.endObject()
    }
}

/// The transaction at one place in the order of all transactions. Each transaction that writes adds one, so what a
/// process reads tells which transactions came before.
struct Link: Record, Equatable {
    static let collection = Collection<Link>("links", isNumbered: true)

    /// The place, from 1 on.
    let version: Int
    let transaction: Int

    var key: Key { Key(version) }

    init(version: Int, transaction: Int) {
        (self.version, self.transaction) = (version, transaction)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        guard let version = value["version"]?.int, let transaction = value["transaction"]?.int else {
            throw JSONError(.typeMismatch, at: reader.offset)
        }
        self.init(version: version, transaction: transaction)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("version")
        writer.int(version)
        writer.property("transaction")
        writer.int(transaction)
        writer.endObject()
    }
}

/// All records of the workload.
enum Workload {
    static let types = [RecordType(Cell.self), RecordType(Secret.self), RecordType(Mail.self), RecordType(Link.self)]
}
