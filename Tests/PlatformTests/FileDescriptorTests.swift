import CLibrary
import Platform
import Testing

struct FileDescriptorTests {
    let folder: TemporaryFolder
    private let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }

    init() throws {
        folder = try TemporaryFolder()
    }

    // MARK: Reading

    @Test(arguments: [0, 1, 99_999, 100_000, 100_001, .max])
    func readsAtMostOneByteMoreThanTheLimit(bytesMax: Int) throws {
        let file = try FileDescriptor.open(try folder.file("file", bytes), .reading)
        defer { file.close() }
        let expected = bytesMax < bytes.count ? Array(bytes[...bytesMax]) : bytes
        #expect(try file.contents(bytesMax: bytesMax) == expected)
    }

    @Test func readsAPartOfAFile() throws {
        let file = try FileDescriptor.open(try folder.file("file", bytes), .reading)
        defer { file.close() }
        #expect(try RealCalls.shared.contents(of: file, from: 10, upTo: 20) == Array(bytes[10..<20]))
        #expect(try RealCalls.shared.contents(of: file, from: 99_990, upTo: 200_000) == Array(bytes[99_990...]))
        #expect(try RealCalls.shared.contents(of: file, from: 20, upTo: 10).isEmpty)
        #expect(try RealCalls.shared.byte(of: file, at: 300) == 44)
        #expect(try RealCalls.shared.byte(of: file, at: 100_000) == nil)
    }

    @Test func failsWithWouldBlockIfNoBytesAreAvailable() throws {
        let pipe = try Pipe()
        defer { pipe.reader.close() }
        try pipe.reader.setBlocking(false)
        var piece = [UInt8](repeating: 0, count: 10)
        #expect(systemError { () throws(SystemError) in _ = try pipe.reader.read(into: &piece) } == .wouldBlock)
        try pipe.reader.setBlocking(true)
        pipe.writer.close()
        #expect(try pipe.reader.read(into: &piece) == 0)
    }

    // MARK: Opening

    @Test func opensOnlyWhatTheOptionsAllow() throws {
        let path = folder.path("new")
        let file = try FileDescriptor.open(path, .writing | .creating)
        #expect(fcntl(file.rawValue, F_GETFD) == FD_CLOEXEC)
        file.close()
        #expect(
            systemError { () throws(SystemError) in _ = try FileDescriptor.open(path, .writing | .creating) }
                == .fileExists
        )
        #expect(symlink("new", folder.path + "/link") == 0)
        let link = folder.path("link")
        #expect(
            systemError { () throws(SystemError) in _ = try FileDescriptor.open(link, .reading | .notFollowingLinks) }
                == .tooManySymbolicLinks
        )
        #expect(
            systemError { () throws(SystemError) in _ = try FileDescriptor.open(path, .directory) } == .notDirectory
        )
        #expect(
            systemError { () throws(SystemError) in _ = try FileDescriptor.open(folder.path("x"), .reading) }
                == .noSuchFile
        )
    }

    @Test func opensRenamesAndRemovesEntriesOfADirectory() throws {
        let directory = try FileDescriptor.open(SystemString(folder.path), .reading | .directory)
        defer { directory.close() }
        let file = try directory.open("a", .readingAndWriting | .creating)
        defer { file.close() }
        try RealCalls.shared.writeAll(bytes, to: file, at: 5)
        try file.setMode(0o640)
        try DirectoryEntries.rename("a", to: "b", in: directory)
        let status = try FileStatus(of: "b", in: directory)
        #expect(status.kind == .regular && status.permissions == 0o640 && status.owner.isCurrent)
        #expect(status.bytes == 100_005 && status.links == 1)
        #expect(try status.stamp.isSameFile(as: FileStatus(at: folder.path("b")).stamp))
        try DirectoryEntries.unlink("b", in: directory)
        #expect(try FileStatus(of: file).links == 0)
        #expect(try file.lengthAndLinks() == (100_005, 0))
        try DirectoryEntries.makeDirectory("c", in: directory, mode: 0o700)
        #expect(try DirectoryNames.of(directory, "") == ["c"])
        #expect(try FileStatus(of: "c" as SystemString, in: directory).kind == .directory)
        try DirectoryEntries.removeDirectory("c", in: directory)
        #expect(try FileSystem.freeBytes(of: directory) > 0)
    }

    @Test func namesAMissingDirectoryInTheError() throws {
        let path = folder.path("missing")
        do throws(FailedCall) {
            _ = try DirectoryNames.of(path)
            Issue.record("it was read")
        } catch {
            #expect(error.error == .noSuchFile)
            #expect("\(error)" == "open \(path): No such file or directory")
        }
    }
}

struct SystemErrorTests {
    @Test func isDescribedByTheSystemsText() {
        #expect("\(SystemError.noSpace)" == "No space left on device")
        #expect(SystemError.wouldBlock == SystemError(number: EWOULDBLOCK))
    }
}

struct SystemCallsTests {
    private final class ChangedWrites: SystemCalls {
        var onWrite: (UnsafeRawBufferPointer, Int) -> Int = { _, _ in 0 }

        func write(_ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
            onWrite(bytes, offset)
        }
    }

    /// The system may write fewer bytes than it is given.
    @Test func writesTheRestAfterAShortWriteAndASignal() throws {
        let calls = ChangedWrites()
        var (written, rounds): ([UInt8], Int) = ([], 0)
        calls.onWrite = { bytes, offset in
            rounds += 1
            guard rounds != 2 else {
                errno = EINTR
                return -1
            }
            #expect(offset == 7 + written.count)
            written += bytes.prefix(3)
            return min(3, bytes.count)
        }
        let bytes = Array("abcdefgh".utf8)
        try calls.writeAll(bytes, to: .standardInput, at: 7)
        #expect(written == bytes && rounds == 4)
        calls.onWrite = { _, _ in 0 }
        #expect(
            systemError { () throws(SystemError) in try calls.writeAll(bytes, to: .standardInput, at: 0) }
                == .inputOutput
        )
    }

    @Test func givesTheLockToOneOpenFile() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file("lock", [])
        let (first, second) = (try FileDescriptor.open(path, .reading), try FileDescriptor.open(path, .reading))
        defer { for file in [first, second] { file.close() } }
        #expect(try RealCalls.shared.takeLockIfFree(of: first))
        #expect(try !RealCalls.shared.takeLockIfFree(of: second))
        RealCalls.shared.releaseLock(of: first)
        #expect(try RealCalls.shared.takeLockIfFree(of: second))
    }
}
