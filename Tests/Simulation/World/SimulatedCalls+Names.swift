import CLibrary
import DirectoryStore
import Platform

/// Names, file systems, clocks and threads.
extension SimulatedCalls {
    func status(at path: SystemString) throws(SystemError) -> FileStatus {
        try begin("status at")
        return status(of: try node(path, in: nil))
    }

    func status(of name: SystemString, in directory: FileDescriptor) throws(SystemError) -> FileStatus {
        try begin("status in")
        return status(of: try node(name, in: directory))
    }

    func names(in directory: FileDescriptor, _ path: SystemString) throws(FailedCall) -> [String] {
        do throws(SystemError) {
            try begin("names", [EIO, EMFILE])
            return try node(directory).names.keys.sorted()
        } catch {
            throw FailedCall("read \(path)", error)
        }
    }

    func makeDirectory(_ name: SystemString, in directory: FileDescriptor?, mode: UInt32) throws(SystemError) {
        try begin("mkdir", [EIO])
        let parent = try directory.map { directory throws(SystemError) in try node(directory) } ?? machine.disk.root
        let name = "\(name)".filter { $0 != "/" }
        guard parent.names[name] == nil else { throw .fileExists }
        parent.set(name, machine.disk.makeNode(isDirectory: true, at: machine.unixMicroseconds))
    }

    func removeDirectory(_ name: SystemString, in directory: FileDescriptor) throws(SystemError) {
        try begin("rmdir", [EIO])
        guard try node(name, in: directory).names.isEmpty else { throw .directoryNotEmpty }
        try node(directory).remove("\(name)")
    }

    func setMode(_ mode: UInt32, of name: SystemString, in directory: FileDescriptor?) throws(SystemError) {
        try begin("chmod")
    }

    // MARK: File systems

    func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int {
        try begin("statvfs")
        let disk = machine.disk
        return disk.capacity == .max ? .max : max(0, disk.capacity - disk.usedBytes)
    }

    func untrustedFileSystem(of directory: FileDescriptor) throws(SystemError) -> String? { nil }

    func lockHolder(of file: FileStamp) -> Int? { nil }

    // MARK: Clocks, threads and randomness

    var monotonicMilliseconds: Int {
        machine.endTurn()
        guard process.isDead else { return machine.microseconds / 1_000 }
        timeAfterDeath += 1_000_000
        return machine.microseconds / 1_000 + timeAfterDeath
    }

    var unixSeconds: Int { machine.unixMicroseconds / 1_000_000 }

    func sleep(microseconds: Int) {
        machine.endTurn()
        machine.suspend(microseconds: microseconds)
    }

    func yield() {
        machine.endTurn()
        machine.yield()
    }

    func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        machine.endTurn()
        return !process.isDead && machine.start(of: process, body)
    }

    func lowerPriority() {}

    func randomUUID() -> String { UUIDText.version4((0..<16).map { _ in UInt8(truncatingIfNeeded: uuids.next()) }) }
}
