import CLibrary
import DirectoryStore
import JSON
import Platform
import Store

/// A store with damaged files, and what a salvage makes of it.
struct DamagedImage {
    let seed: UInt64
    private let random: Randomness
    private let disk: Disk
    private var damages: [String] = []

    /// Writes a store, and damages its files.
    ///
    /// - Returns: nil if the store has no file, because its processes did nothing.
    init?(seed: UInt64) {
        self.seed = seed
        random = Randomness(seed: seed)
        var faults = Faults()
        faults.turns = 4
        let machine = Machine(disk: Disk(), random: random, faults: faults, trace: Trace(prints: false))
        let ledger = Ledger()
        for _ in 0..<random.number(in: 1...3) {
            let process = machine.makeProcess()
            let worker = Worker(process, on: machine, ledger)
            let operations = random.number(in: 5...40)
            machine.start(of: process) { worker.run(operations: operations) }
        }
        machine.run()
        disk = machine.disk.synced()
        guard Self.damaged(in: disk).count > 1 else { return nil }
        for _ in 0..<random.number(in: 1...3) { damage() }
    }

    /// The files that may be damaged.
    private static func damaged(in disk: Disk) -> [(name: String, node: Node)] {
        disk.files(in: "/store").filter {
            !$0.name.hasPrefix("lock") && !$0.name.hasPrefix(".torn-") && !$0.node.bytes.isEmpty
        }
    }

    /// Damages a random place of a random file.
    private mutating func damage() {
        let (name, node) = random.one(of: Self.damaged(in: disk))
        var bytes = node.bytes
        // Most of a journal can be room, where damage does nothing.
        let end = min(bytes.count, (bytes.lastIndex { $0 != UInt8(ascii: "\t") } ?? 0) + 600)
        let place = random.below(max(1, end))
        let length = min(random.one(of: [1, 1, 3, 40, 512, 3_000]), bytes.count - place)
        let form = random.one(of: [
            "flipped", "flipped", "zeroed", "removed", "inserted", "cut", "replaced", "repeated",
        ])
        switch form {
        case "flipped": bytes[place] ^= 1 << UInt8(random.below(8))
        case "zeroed": for index in place..<place + length { bytes[index] = 0 }
        case "removed": bytes.removeSubrange(place..<place + length)
        case "inserted": bytes.insert(contentsOf: repeatElement(UInt8(ascii: "x"), count: length), at: place)
        case "cut": bytes.removeSubrange(place...)
        case "replaced": for index in place..<place + length { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
        default: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        }
        node.replace(with: bytes)
        damages.append("\(name) \(form) at \(place), \(length) bytes")
    }

    /// One line of JSON: the damaged files, in hexadecimal, and the records that a salvage saves.
    ///
    /// - Throws: what the salvage throws.
    func line() throws -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("seed")
        writer.int(Int(seed))
        writer.property("damages")
        writer.string(damages.joined(separator: "; "))
        writer.property("files")
        writer.beginObject()
        for (name, node) in Self.damaged(in: disk) {
            writer.property(named: name)
            writer.string(node.bytes.hexText)
        }
        writer.endObject()
        writer.property("saved")
        writer.beginObject()
        try Inspection(disk, random).salvaged { key, value in
            writer.property(named: key)
            writer.raw(value)
        }
        writer.endObject()
        writer.endObject()
        writer.newline()
        return writer.take()
    }
}
