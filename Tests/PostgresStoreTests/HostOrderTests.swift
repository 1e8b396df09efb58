import Testing

@testable import PostgresStore

/// Which of several hosts a process tries first.
struct HostOrderTests {
    private func texts(_ order: HostOrder) -> [String] { order.parameters.map { "\($0.name)=\($0.value)" } }

    @Test func startsWithTheHostThatServedLast() throws {
        let hosts = try #require(HostList(names: "a,b,c", addresses: "", ports: "1,2,3"))
        let order = HostOrder()
        // The address itself states the order until a connection was tried.
        #expect(texts(order) == [])
        order.noteSuccess(hosts, host: "b", port: "2")
        #expect(texts(order) == ["host=b,c,a", "port=2,3,1"])
        // The lists of a later connection are in the order of the try, and are not taken for the address.
        order.noteSuccess(HostList(names: "b,c,a", addresses: "", ports: "2,3,1"), host: "a", port: "1")
        #expect(texts(order) == ["host=a,b,c", "port=1,2,3"])
    }

    @Test func startsWithAnotherHostAfterEachFailure() throws {
        let hosts = try #require(HostList(names: "", addresses: "10.0.0.1,10.0.0.2", ports: "5432"))
        let order = HostOrder()
        order.noteFailure(hosts)
        #expect(texts(order) == ["hostaddr=10.0.0.2,10.0.0.1"])
        order.noteFailure(nil)
        #expect(texts(order) == ["hostaddr=10.0.0.1,10.0.0.2"])
        order.noteSuccess(nil, host: "10.0.0.2", port: "5432")
        #expect(texts(order) == ["hostaddr=10.0.0.2,10.0.0.1"])
        // A host that is not in the list changes nothing.
        order.noteSuccess(nil, host: "x", port: "5432")
        #expect(texts(order) == ["hostaddr=10.0.0.2,10.0.0.1"])
    }

    @Test(arguments: [("a", "", "1"), ("", "", ""), ("", "10.0.0.1", ""), ("", "", "1,2")])
    func leavesOneHostAlone(names: String, addresses: String, ports: String) {
        #expect(HostList(names: names, addresses: addresses, ports: ports) == nil)
        let order = HostOrder()
        order.noteFailure(nil)
        #expect(texts(order) == [])
    }

    @Test func keepsNamesAndAddressesOfAHostTogether() throws {
        let hosts = try #require(HostList(names: "a,a", addresses: "10.0.0.1,10.0.0.2", ports: "1,2"))
        #expect(hosts.position(of: "a", port: "2") == 1)
        #expect(hosts.parameters(startingWith: 1).map(\.value) == ["a,a", "10.0.0.2,10.0.0.1", "2,1"])
        // Two servers on one machine differ in their ports, and two sockets in their folders.
        #expect(HostList(names: "/x,/y", addresses: "", ports: "5432")?.position(of: "/y", port: "5432") == 1)
        #expect(HostList(names: ",b", addresses: "", ports: "1,2")?.position(of: "b", port: "2") == 1)
    }
}
