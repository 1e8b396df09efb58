import CLibrary
import Synchronization
import Testing

@testable import Platform

struct PipeTests {
    @Test func carriesBytesAndThenTheEndOfTheInput() throws {
        let pipe = try Pipe()
        var bytes: [UInt8] = [1, 2, 3, 0]
        #expect(write(pipe.writer.rawValue, bytes, 3) == 3)
        pipe.writer.close()
        #expect(read(pipe.reader.rawValue, &bytes, 4) == 3 && read(pipe.reader.rawValue, &bytes, 4) == 0)
        pipe.reader.close()
    }

    @Test func isNotInheritedByChildren() throws {
        for blocks in [true, false] {
            let pipe = try Pipe(blocks: blocks)
            for end in [pipe.reader, pipe.writer] {
                #expect(fcntl(end.rawValue, F_GETFD) == FD_CLOEXEC)
                #expect((fcntl(end.rawValue, F_GETFL) & O_NONBLOCK == 0) == blocks)
                end.close()
            }
        }
    }

    /// A child that was started between the creation of a pipe and the setting of its close-on-exec flag once
    /// inherited the pipe and kept it open.
    @Test func isNotInheritedByAChildStartedConcurrently() throws {
        let hasEnded = Atomic(false)
        let children = Mutex<[pid_t]>([])
        #expect(
            Thread.start {
                for _ in 0..<100 {
                    if let child = Self.startSleep() { children.withLock { $0.append(child) } }
                }
                hasEnded.store(true, ordering: .releasing)
            }
        )
        var keptCount = 0
        while !hasEnded.load(ordering: .acquiring) {
            let pipe = try Pipe(blocks: false)
            pipe.writer.close()
            if !Self.ends(pipe.reader) { keptCount += 1 }
            pipe.reader.close()
        }
        #expect(keptCount == 0)
        for child in children.withLock({ $0 }) {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
    }

    /// Whether the other end of a pipe is closed in every process. A child may have it open until its exec.
    private static func ends(_ reader: FileDescriptor) -> Bool {
        var byte: UInt8 = 0
        for _ in 0..<1_000 {
            if read(reader.rawValue, &byte, 1) == 0 { return true }
            usleep(1_000)
        }
        return false
    }

    private static func startSleep() -> pid_t? {
        var arguments = [strdup("sleep"), strdup("30"), nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        return posix_spawnp(&child, "sleep", nil, nil, &arguments, environ) == 0 ? child : nil
    }
}
