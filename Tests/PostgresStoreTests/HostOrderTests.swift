import Testing

@testable import PostgresStore

/// Which of several hosts a process tries first.
struct HostOrderTests {
    private let order = HostOrder()

    private var texts: [String] { order.attempt.parameters.map { "\($0.name)=\($0.value)" } }

    @Test func startsWithTheHostThatServedLast() throws {
        let hosts = try #require(HostList(names: "a,b,c", addresses: "", ports: "1,2,3"))
        // The address itself states the order until a connection was tried.
        #expect(texts == [])
        order.recordSuccess(of: "b", port: "2", hosts)
        #expect(texts == ["host=b,c,a", "port=2,3,1"])
        // The lists of a later connection are in the order of the try, and are not taken for the address.
        order.recordSuccess(of: "a", port: "1", HostList(names: "b,c,a", addresses: "", ports: "2,3,1"))
        #expect(texts == ["host=a,b,c", "port=1,2,3"])
    }

    @Test func startsWithAnotherHostAfterAFailure() throws {
        let hosts = try #require(HostList(names: "", addresses: "10.0.0.1,10.0.0.2", ports: "5432"))
        order.recordFailure(of: order.attempt, hosts)
        #expect(texts == ["hostaddr=10.0.0.2,10.0.0.1"])
        order.recordFailure(of: order.attempt, nil)
        #expect(texts == ["hostaddr=10.0.0.1,10.0.0.2"])
        order.recordSuccess(of: "10.0.0.2", port: "5432", nil)
        #expect(texts == ["hostaddr=10.0.0.2,10.0.0.1"])
        // A host that is not in the list changes nothing.
        order.recordSuccess(of: "x", port: "5432", nil)
        #expect(texts == ["hostaddr=10.0.0.2,10.0.0.1"])
    }

    /// Two connections that fail together must not bring the dead host to the front again.
    @Test func countsTriesWithTheSameOrderOnce() throws {
        let hosts = try #require(HostList(names: "dead,alive", addresses: "", ports: ""))
        let attempts = (order.attempt, order.attempt)
        order.recordFailure(of: attempts.0, hosts)
        order.recordFailure(of: attempts.1, hosts)
        #expect(texts == ["host=alive,dead"])
    }

    @Test(arguments: [("a", "", "1"), ("", "", ""), ("", "10.0.0.1", ""), ("", "", "1,2")])
    func leavesOneHostAlone(names: String, addresses: String, ports: String) {
        #expect(HostList(names: names, addresses: addresses, ports: ports) == nil)
        order.recordFailure(of: order.attempt, nil)
        #expect(texts == [])
    }

    @Test func keepsNamesAndAddressesOfAHostTogether() throws {
        let hosts = try #require(HostList(names: "a,a", addresses: "10.0.0.1,10.0.0.2", ports: "1,2"))
        #expect(hosts.position(of: "a", port: "2") == 1)
        #expect(hosts.parameters(startingWith: 1).map(\.value) == ["a,a", "10.0.0.2,10.0.0.1", "2,1"])
        // Two servers on one machine differ in their ports, and two sockets in their folders.
        #expect(HostList(names: "/x,/y", addresses: "", ports: "5432")?.position(of: "/y", port: "5432") == 1)
        #expect(HostList(names: ",b", addresses: "", ports: "1,2")?.position(of: "b", port: "2") == 1)
        #expect(HostList(names: "a,b", addresses: "", ports: ",")?.position(of: "b", port: "5432") == 1)
    }
}
