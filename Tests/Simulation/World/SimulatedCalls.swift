import CLibrary
import DirectoryStore
import Platform

/// The system calls of a simulated process.
///
/// Safe to send: only the thread whose turn it is uses it.
final class SimulatedCalls: SystemCalls, @unchecked Sendable {
    let machine: Machine
    let process: SimulatedProcess
    /// Makes the identifiers of stores.
    let uuids: Randomness
    /// The time that a dead process sees, so that all of its waits end.
    var timeAfterDeath = 0

    init(of process: SimulatedProcess, on machine: Machine) {
        (self.process, self.machine) = (process, machine)
        uuids = Randomness(seed: machine.random.next())
    }

    private var random: Randomness { machine.random }

    // MARK: Turns and errors

    /// Whether a call with its effects takes place. The process may be killed before it, or the call may fail.
    private func begins(_ name: StaticString, _ errors: [Int32], _ numbers: Int...) -> Bool {
        machine.endTurn()
        guard !process.isDead else { return fail(EIO) }
        machine.trace.note("\(process.number) \(name) \(numbers.map(String.init).joined(separator: " "))")
        machine.trace.add(process.number, name.utf8CodeUnitCount, numbers.first ?? 0)
        guard !errors.isEmpty, random.once(in: machine.faults.errors) else { return true }
        let error = random.one(of: errors)
        note(name, error)
        return fail(error)
    }

    private func fail(_ error: Int32) -> Bool {
        errno = error
        return false
    }

    private func note(_ name: StaticString, _ error: Int32) {
        machine.counts.errors["\(name) \(SystemError(number: error))", default: 0] += 1
        machine.trace.note("  fails: \(SystemError(number: error))")
    }

    /// The same for calls that throw.
    func begin(_ name: StaticString, _ errors: [Int32] = []) throws(SystemError) {
        guard begins(name, errors) else { throw SystemError(number: errno) }
    }

    func node(_ file: FileDescriptor) throws(SystemError) -> Node {
        guard let node = machine.file(file)?.node else { throw SystemError(number: EBADF) }
        return node
    }

    func node(_ name: SystemString, in directory: FileDescriptor?) throws(SystemError) -> Node {
        guard let directory else {
            guard let node = machine.disk.node(at: "\(name)") else { throw .noSuchFile }
            return node
        }
        let parent = try node(directory)
        if "\(name)" == "." { return parent }
        // The simulated directories are all in the root directory.
        if "\(name)" == ".." { return machine.disk.root }
        guard let node = parent.names["\(name)"] else { throw .noSuchFile }
        return node
    }

    // MARK: Changing files

    func write(_ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        guard begins("write", [EINTR, EIO], offset, bytes.count) else { return -1 }
        guard let open = machine.file(file), open.writes else {
            errno = EBADF
            return -1
        }
        let node = open.node
        var count = bytes.count
        // The system may write less than it was given, up to the end of a block.
        let whole = Node.start(ofSectorAt: offset + random.below(count + 1)) - offset
        if machine.faults.errors > 0, whole > 0, random.once(in: machine.faults.errors) { count = whole }
        let growth = max(0, offset + count - node.bytes.count)
        let room = machine.disk.capacity == .max ? .max : machine.disk.capacity - machine.disk.usedBytes
        if growth > room {
            count -= growth - max(0, room)
            guard count > 0 else {
                errno = random.one(of: [ENOSPC, EDQUOT])
                note("write", errno)
                return -1
            }
        }
        // A process can be killed inside a write.
        if whole > 0, machine.faults.kills > 0, random.once(in: machine.faults.kills / 8 + 1) {
            node.write(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), at: offset)
            machine.kill(process)
            errno = EIO
            return -1
        }
        node.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        machine.disk.note(changeOf: node, at: machine.unixMicroseconds)
        return count
    }

    func sync(_ file: FileDescriptor) -> Int32 {
        guard begins("sync", [EINTR]), let open = machine.file(file) else { return -1 }
        let node = open.node
        if !node.pending.isEmpty, random.once(in: machine.faults.syncErrors) {
            let evicts = random.once(in: 2)
            node.failToSync(random, evicts: evicts)
            if evicts { machine.hasLostPages = true }
        }
        guard node.writebackErrors > open.errorsSeen else {
            node.sync()
            return 0
        }
        (open.errorsSeen, node.isErrorTold) = (node.writebackErrors, true)
        errno = random.one(of: [EIO, EIO, ENOSPC])
        note("sync", errno)
        process.hasFailedToUndo = true
        return -1
    }

    func truncate(_ file: FileDescriptor, _ length: Int) -> Int32 {
        guard begins("truncate", [EINTR, EIO], length), let node = machine.file(file)?.node else {
            process.hasFailedToUndo = true
            return -1
        }
        node.truncate(to: length)
        machine.disk.note(changeOf: node, at: machine.unixMicroseconds)
        return 0
    }

    func lock(_ file: FileDescriptor, _ operation: Int32) -> Int32 {
        guard begins("lock", [EINTR], Int(operation)),
            let node = machine.file(file)?.node
        else { return -1 }
        if operation == LOCK_UN {
            if node.lockHolder == file.rawValue { node.lockHolder = nil }
            return 0
        }
        guard node.lockHolder == nil || node.lockHolder == file.rawValue else {
            errno = EWOULDBLOCK
            return -1
        }
        node.lockHolder = file.rawValue
        return 0
    }

    func syncDirectory(_ directory: FileDescriptor) -> Int32 {
        guard begins("sync directory", [EINTR]), let open = machine.file(directory) else { return -1 }
        if random.once(in: machine.faults.syncErrors) { open.node.failToSyncNames(random) }
        guard open.node.hasLostNames else {
            open.node.syncNames()
            return 0
        }
        errno = EIO
        note("sync directory", EIO)
        process.hasFailedToUndo = true
        return -1
    }

    func rename(_ directory: FileDescriptor, _ name: SystemString, _ newName: SystemString) -> Int32 {
        guard begins("rename", [EIO]), let parent = machine.file(directory)?.node else { return -1 }
        guard parent.names["\(name)"] != nil else {
            errno = ENOENT
            return -1
        }
        parent.move("\(name)", to: "\(newName)")
        return 0
    }

    func unlink(_ directory: FileDescriptor, _ name: String) -> Int32 {
        guard begins("unlink", [EIO]), let parent = machine.file(directory)?.node else { return -1 }
        guard parent.names[name] != nil else {
            errno = ENOENT
            return -1
        }
        parent.remove(name)
        return 0
    }

    // MARK: Files

    func read(_ file: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int) -> Int {
        guard begins("read", [EINTR, EIO], offset, buffer.count) else { return -1 }
        guard let node = machine.file(file)?.node else {
            errno = EBADF
            return -1
        }
        let count = min(buffer.count, max(0, node.bytes.count - offset))
        guard count > 0 else { return 0 }
        node.bytes.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
        }
        return count
    }

    func open(
        _ name: SystemString,
        in directory: FileDescriptor?,
        _ options: OpenOptions
    ) throws(SystemError) -> FileDescriptor {
        try begin("open", [EMFILE, ENFILE, EIO])
        do throws(SystemError) {
            let node = try node(name, in: directory)
            if options.creates { throw .fileExists }
            if options.needsDirectory, !node.isDirectory { throw .notDirectory }
            return machine.open(node, by: process, writes: options.writes)
        } catch .noSuchFile where options.creates {
            guard let directory else { throw .noSuchFile }
            // A full disk has no room for a name either.
            if machine.disk.capacity < machine.disk.usedBytes { throw .noSpace }
            let node = machine.disk.makeNode(isDirectory: false, at: machine.unixMicroseconds)
            try self.node(directory).set("\(name)", node)
            return machine.open(node, by: process, writes: true)
        }
    }

    func close(_ file: FileDescriptor) {
        machine.endTurn()
        machine.close(file)
    }

    func status(of file: FileDescriptor) throws(SystemError) -> FileStatus {
        try begin("status")
        return status(of: try node(file))
    }

    func lengthAndLinks(of file: FileDescriptor) throws(SystemError) -> (bytes: Int, links: Int) {
        try begin("length")
        let node = try node(file)
        return (node.bytes.count, node.links)
    }

    func setMode(_ mode: UInt32, of file: FileDescriptor) throws(SystemError) { try begin("chmod") }

    func setOwner(_ owner: FileOwner, of file: FileDescriptor) throws(SystemError) { try begin("chown") }

    func map(_ file: FileDescriptor, byteCount: Int) throws(SystemError) -> MappedPages {
        try begin("map", [ENOMEM])
        return try MappedPages(borrowing: machine.mapped(try node(file)))
    }

    func shareWords(of file: FileDescriptor, count: Int) throws(SystemError) -> any SharedWords {
        try begin("map", [ENOMEM])
        let node = try node(file)
        precondition(node.bytes.count >= count * 8, "a mapping after the end of its file kills the process")
        return SimulatedWords(of: node, self)
    }

    func status(of node: Node) -> FileStatus {
        FileStatus(
            kind: node.isDirectory ? .directory : .regular,
            permissions: node.isDirectory ? 0o700 : 0o600,
            owner: .current,
            bytes: node.bytes.count,
            links: node.links,
            stamp: FileStamp(
                device: 1,
                inode: node.number,
                changedSeconds: node.changed.seconds,
                changedNanoseconds: node.changed.nanoseconds
            )
        )
    }
}
