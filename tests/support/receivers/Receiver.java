// SPDX-License-Identifier: Apache-2.0
// Hands cases to the sample of docs/partners.md (Notices.java).
import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

public final class Receiver {
    private static Map<String, String> read(Path file) throws Exception {
        Map<String, String> texts = new HashMap<>();
        JSONObjectUtils.parse(Files.readString(file)).forEach((name, value) -> texts.put(name, (String) value));
        return texts;
    }

    public static void main(String[] folders) throws Exception {
        for (String name : folders) {
            Path folder = Path.of(name);
            Map<String, String> settings = read(folder.resolve("settings.json"));
            try {
                var notice = Notices.verify(read(folder.resolve("headers.json")), Files.readAllBytes(folder.resolve("body")),
                        settings.get("secret"), Files.readString(folder.resolve("key_set.json")), settings.get("issuer"),
                        settings.get("client_id"));
                if (((Number) notice.get("ChangeType")).intValue() != 1) throw new IllegalStateException("another notice");
                System.out.println(folder.getFileName() + " accepted");
            } catch (Exception e) {
                System.out.println(folder.getFileName() + " refused " + e.getMessage());
            }
        }
    }
}
