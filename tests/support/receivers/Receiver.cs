// SPDX-License-Identifier: Apache-2.0
// Hands cases to the sample of docs/partners.md (Notices.cs).
using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

public static class Receiver
{
    static Dictionary<string, string> Read(string file)
    {
        return JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file));
    }

    public static void Main(string[] folders)
    {
        foreach (string folder in folders)
        {
            string name = Path.GetFileName(folder);
            Dictionary<string, string> settings = Read(Path.Combine(folder, "settings.json"));
            try
            {
                JsonElement notice = Notices.Verify(Read(Path.Combine(folder, "headers.json")),
                    File.ReadAllBytes(Path.Combine(folder, "body")), settings["secret"],
                    File.ReadAllText(Path.Combine(folder, "key_set.json")), settings["issuer"], settings["client_id"]);
                if (notice.GetProperty("ChangeType").GetInt32() != 1) throw new InvalidDataException("another notice");
                Console.WriteLine(name + " accepted");
            }
            catch (Exception e)
            {
                Console.WriteLine(name + " refused " + e.Message.Replace('\n', ' '));
            }
        }
    }
}
