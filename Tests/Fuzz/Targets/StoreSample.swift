import CLibrary

@testable import JSON
@testable import DirectoryStore
@testable import Platform
@testable import Store

/// A directory for this process, in memory, for the targets that need files. libFuzzer ends a process without any
/// cleanup, so the script that starts it removes the directory.
enum Scratch {
    static let path: String = {
        guard let path = getenv("FUZZ_SCRATCH").map({ String(cString: $0) }) else { fail("FUZZ_SCRATCH is not set") }
        let own = "\(path)/\(getpid())"
        guard mkdir(own, 0o700) == 0 else { fail("mkdir \(own)") }
        return own
    }()
}

/// The system's calls without syncs, because a fuzzer does not cut the power.
private final class UnsyncedCalls: SystemCalls {
    func sync(_ file: FileDescriptor) -> Int32 { 0 }

    func syncDirectory(_ directory: FileDescriptor) -> Int32 { 0 }
}

extension StoreSettings {
    /// Settings without syncs.
    static var unsynced: StoreSettings {
        var settings = StoreSettings()
        settings.calls = UnsyncedCalls()
        return settings
    }
}

extension LocalEngine {
    /// Sets keys to values, or removes them, in one transaction.
    func stage(_ entries: [(String, String?)], isErasable: Bool = false) throws {
        try write { transaction in
            for (key, value) in entries {
                let key = StoreKey(bytes: Array(key.utf8))
                if let value {
                    try transaction.put(StoredValue(bytes: Array(value.utf8)), at: key, isErasable: isErasable)
                } else {
                    try transaction.remove(key)
                }
            }
        }
    }
}

/// The whole contents of a file.
func contents(of path: String) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { fail("open \(path)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { fail("stat \(path)") }
    return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
        count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
    }
}

/// Replaces the contents of a file.
func write(_ bytes: [UInt8], to path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fail("open \(path)") }
    defer { close(descriptor) }
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { fail("write \(path)") }
}
