import Foundation
import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

/// Errors of the real system, as far as the machine lets a test cause them.
struct RealDiskTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // The tests run as another user. With some umasks, that user could not read the directory.
        try #require(chmod(directory.root, 0o755) == 0)
    }

    /// Runs `body` as a user who has only the rights that the files give to everyone.
    ///
    /// Root may open every file; setfsuid(2) removes that right from the calling thread only.
    private func asNobody(_ body: () throws -> Void) throws {
        guard geteuid() == 0 else { return try body() }
        typealias SetUser = @convention(c) (uid_t) -> Int32
        let symbol = try #require(dlsym(UnsafeMutableRawPointer(bitPattern: 0), "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: SetUser.self)
        _ = setUser(OtherUser.id)
        defer { _ = setUser(geteuid()) }
        try body()
    }

    private func setModes(directory mode: mode_t, files: mode_t) throws {
        for name in try directory.names() + ["lock"] { chmod(directory.path + "/" + name, files) }
        chmod(directory.path, mode)
    }

    @Test func opensAReadOnlyStore() throws {
        try directory.open().commit(("a", "1"))
        let torn = try directory.bytes() + Array(#"{"n":2"#.utf8)
        try directory.write(torn)
        try setModes(directory: 0o555, files: 0o444)
        defer { chmod(directory.path, 0o700) }
        try asNobody {
            let engine = try directory.open()
            #expect(try engine.entries() == ["a": "1"])
            try engine.makeDurable()
            #expect(storeError { try engine.write([("a", "2")]) } == .readOnly)
            engine.discardStaged()
            #expect(try engine.entries() == ["a": "1"])
            #expect(storeError { try engine.commit(("a", nil)) } == .readOnly)
        }
        #expect(try directory.bytes() == torn)
        #expect(directory.warnings.count == 1)
    }

    @Test func opensAReadOnlyStoreWithoutALockFile() throws {
        try directory.open().commit(("a", "1"))
        try directory.remove("lock")
        try setModes(directory: 0o555, files: 0o444)
        defer { chmod(directory.path, 0o700) }
        try asNobody {
            let entries = try directory.open().entries()
            #expect(entries == ["a": "1"])
        }
    }

    @Test func opensAStoreWithAReadOnlyJournal() throws {
        try directory.open().commit(("a", "1"))
        try setModes(directory: 0o755, files: 0o444)
        if geteuid() == 0 { chown(directory.path + "/lock", OtherUser.id, OtherUser.id) }
        chmod(directory.path + "/lock", 0o600)
        try asNobody {
            let engine = try directory.open()
            #expect(try engine.entries() == ["a": "1"])
            #expect(storeError { try engine.commit(("a", "2")) } == .readOnly)
        }
    }

    @Test func refusesToCreateAStoreInAReadOnlyDirectory() throws {
        try directory.open().close()
        for name in try directory.names() + ["lock"] { try directory.remove(name) }
        try setModes(directory: 0o555, files: 0o444)
        defer { chmod(directory.path, 0o700) }
        try asNobody {
            guard case .denied(directory.path + "/lock", _, _) = storeError({ _ = try directory.open() }) else {
                Issue.record("the error names no path")
                return
            }
        }
    }

    @Test func continuesOnceAFullDiskHasSpace() throws {
        guard let volume = try TemporaryFileSystem(at: directory.path, options: "size=256k") else {
            try Test.cancel("needs permission to mount a tmpfs")
        }
        defer { withExtendedLifetime(volume) {} }
        let engine = try directory.open()
        try directory.write([UInt8](repeating: 0, count: 128 << 10), to: "filler")
        let value = #"""# + String(repeating: "x", count: 9000) + #"""#
        var expected: [String: String] = [:]
        var error: StoreError?
        while error == nil, expected.count < 100 {
            let key = "k\(expected.count)"
            error = storeError { try engine.commit((key, value)) }
            if error == nil { expected[key] = value }
        }
        #expect(error == .diskFull)
        engine.discardStaged()
        #expect(try engine.entries() == expected)
        try directory.remove("filler")
        try engine.commit(("room", value))
        expected["room"] = value
        engine.close()
        #expect(try directory.open().entries() == expected)
        #expect(directory.warnings.isEmpty)
    }
}
