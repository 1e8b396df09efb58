import CLibrary
import Synchronization
import Testing

@testable import Platform

struct ThreadTests {
    @Test func runsABodyOnAnotherThread() {
        let caller = pthread_self()
        let isOther = Mutex<Bool?>(nil)
        #expect(Thread.start { isOther.withLock { $0 = pthread_equal(caller, pthread_self()) == 0 } })
        while isOther.withLock({ $0 }) == nil { usleep(1_000) }
        #expect(isOther.withLock { $0 } == true)
    }

    /// The machine's processors were once counted, even if the process could use only some of them.
    @Test func countsTheProcessorsAvailableToTheProcess() throws {
        // Swift's module of the C library does not declare this function either.
        typealias SetAffinity = @convention(c) (pid_t, Int, UnsafeRawPointer) -> Int32
        let symbol = try #require(dlsym(nil, "sched_setaffinity"))
        let counts = Mutex<[Int]>([])
        let setAffinity = unsafeBitCast(symbol, to: SetAffinity.self)
        #expect(
            Thread.start {
                let before = Thread.processorCount
                // Affinity is set per thread; the first available processor will do.
                for processor in 0..<1_024 {
                    var mask = [UInt64](repeating: 0, count: 16)
                    mask[processor / 64] = 1 << (processor % 64)
                    if setAffinity(0, 128, mask) == 0 { break }
                }
                counts.withLock { $0 = [before, Thread.processorCount] }
            }
        )
        while counts.withLock({ $0.isEmpty }) { usleep(1_000) }
        #expect(counts.withLock { $0[0] } >= 1 && counts.withLock { $0[1] } == 1)
    }
}
