import Platform
import Testing

struct InternetAddressTests {
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::FFFF:C000:0207", "192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0:1::7", "2001:db8::1:0:0:7", "2001:db8::/64"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::1", "::/64"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", "2001:db8::/64"),
    ])
    func readsItsText(given: String, text: String, network: String) throws {
        let address = try #require(InternetAddress(given))
        #expect(address.text == text)
        #expect(address.network == network)
        #expect(InternetAddress(text) == address)
    }

    @Test(arguments: [
        "", " ", "192.0.2", "192.0.2.256", "192.0.2.7:80", "[::1]", "::1%eth0", "fe80::1%1", "1", "0x7f.0.0.1",
        "192.0.2.7\0", "192.0.2.7 ", "localhost", "2001:db8::/64", ":::", "::ffff:192.0.2.7.1",
        String(repeating: "1", count: 1_000),
    ])
    func refusesOtherTexts(text: String) {
        #expect(InternetAddress(text) == nil)
    }
}
