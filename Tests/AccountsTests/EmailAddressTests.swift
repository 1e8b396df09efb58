import Testing

@testable import Accounts

struct EmailAddressTests {
    @Test(arguments: [
        "lasoren@bu.edu", "a@b.co", "first.last+tag@sub.example.museum", "x@xn--bcher-kva.example", "o'brien@b.co",
        "!#$%&'*+-/=?^_`{|}~@b.co", "1@2.c3", "a@b-c.co", String(repeating: "a", count: 64) + "@b.co",
        "a@" + String(repeating: "b", count: 63) + ".co",
    ])
    func acceptsAddresses(text: String) {
        #expect(EmailAddress(text)?.text == text)
    }

    @Test(arguments: [
        "", "@", "a", "a@", "@b.co", "a@b", "a@b.", "a@.co", "a@b..co", "a..b@c.co", ".a@b.co", "a.@b.co", "a b@c.co",
        "a@b c.co", "a@-b.co", "a@b-.co", "a@b.1", "a@b_c.co", "a@b@c.co", "\"a\"@b.co", "a@[1.2.3.4]", "é@b.co",
        "a@é.co", "a@b.co\n", "\ta@b.co", "a@b.co\r\n", "a\u{0}@b.co", "a@b.co,c@d.co", "<a@b.co>", "a@b.co\u{2028}",
        String(repeating: "a", count: 65) + "@b.co", "a@" + String(repeating: "b", count: 64) + ".co",
        "a@" + String(repeating: "b.", count: 130) + "co",
    ])
    func refusesInvalidAddresses(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test func trimsSpacesAndComparesWithoutCase() {
        let address = EmailAddress("  LaSoren+Tag@BU.edu ")
        #expect(address?.text == "LaSoren+Tag@BU.edu")
        #expect(address?.canonical == "lasoren+tag@bu.edu")
    }

    @Test func acceptsAddressesOfUpTo254Bytes() {
        let domain = [String](repeating: String(repeating: "b", count: 62), count: 3).joined(separator: ".") + ".co"
        let longest = String(repeating: "a", count: 254 - domain.utf8.count - 1) + "@" + domain
        #expect(longest.utf8.count == 254 && EmailAddress(longest) != nil)
        #expect(EmailAddress("a" + longest) == nil)
    }
}
