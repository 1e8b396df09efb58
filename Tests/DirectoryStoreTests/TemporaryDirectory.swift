import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

/// A directory for one test, removed with this object, and access to the files of the store in it.
final class TemporaryDirectory {
    let root: String
    /// The store's path. It does not exist until a store is opened.
    var path: String { root + "/data" }
    /// The warnings of the engines opened here.
    private(set) var warnings: [String] = []

    init() throws {
        root = NSTemporaryDirectory() + "postern-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit {
        // A file left in the system's temporary directory does no harm.
        _ = try? FileManager.default.removeItem(atPath: root)
    }

    func open(calls: any SystemCalls = .real, lockWaitMilliseconds: Int = 5_000) throws(StoreError) -> LocalEngine {
        var settings = StoreSettings()
        settings.calls = calls
        settings.lockWaitMilliseconds = lockWaitMilliseconds
        return try LocalEngine(directory: path, settings: settings, log: { self.warnings.append($0) })
    }

    /// The names of the files, without lock files.
    func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix("lock") }.sorted()
    }

    /// The bytes of a file, without a journal's preallocated room.
    func bytes(of name: String = "journal-1.jsonl") throws -> [UInt8] {
        Array(JournalRoom.torn(try rawBytes(of: name)[...]))
    }

    /// All bytes of a file.
    func rawBytes(of name: String = "journal-1.jsonl") throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func text(of name: String = "journal-1.jsonl") throws -> String {
        String(decoding: try bytes(of: name), as: UTF8.self)
    }

    func write(_ bytes: some Sequence<UInt8>, to name: String = "journal-1.jsonl") throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    /// Replaces bytes in the middle of a file.
    func overwrite(_ bytes: [UInt8], of name: String = "journal-1.jsonl", at offset: Int) throws {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path + "/" + name))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    /// Removes `lock.sync`, so that the end of the journal counts as never synced, as after a system crash.
    func forgetSyncs() throws {
        if FileManager.default.fileExists(atPath: path + "/lock.sync") { try remove("lock.sync") }
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path + "/" + name)
    }

    /// Every file's bytes by its name, without lock files.
    func contents() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try names() { contents[name] = try bytes(of: name) }
        return contents
    }

    /// The mode of a file, or of the directory for an empty name.
    func mode(of name: String = "") throws -> mode_t {
        var status = stat()
        try #require(stat(path + "/" + name, &status) == 0)
        return status.st_mode & 0o7777
    }
}

extension Engine {
    /// Sets keys to values, or removes them if the value is nil, in one transaction. The transaction then throws
    /// `refusal` unless it is nil.
    func write(_ entries: [(String, String?)], isErasable: Bool = false, refusal: (any Error)? = nil) throws {
        try write { transaction in
            for (key, value) in entries {
                let key = StoreKey(bytes: Array(key.utf8))
                if let value {
                    let value = StoredValue(bytes: Array(value.utf8))
                    try transaction.put(value, at: key, isErasable: isErasable)
                } else {
                    try transaction.remove(key)
                }
            }
            if let refusal { throw refusal }
        }
    }

    /// Sets or removes keys in one transaction, and makes it durable.
    func commit(_ entries: (String, String?)..., isErasable: Bool = false) throws {
        try write(entries, isErasable: isErasable)
        try makeDurable()
    }

    /// All entries, as text.
    func entries() throws -> [String: String] {
        var entries: [String: String] = [:]
        let (lower, upper) = (StoreKey(bytes: []), StoreKey(bytes: [0xFF]))
        try read { transaction in
            entries = [:]
            try transaction.scan(from: lower, upTo: upper, descending: false, limit: .max) { key, value in
                entries[key.text] = String(decoding: value.bytes, as: UTF8.self)
                return true
            }
        }
        return entries
    }
}

/// The error that `body` throws.
func storeError(_ body: () throws -> Void) -> StoreError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StoreError
    }
}

extension StoreError {
    /// The reason, if the error is `damaged`.
    var reason: String? {
        if case .damaged(_, _, let reason) = self { reason } else { nil }
    }
}
