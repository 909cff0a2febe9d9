/* SPDX-License-Identifier: GPL-2.0-only */
/* json() gives what is written at a path: strings without their quotes, NULL if nothing is. */
#pragma D option quiet
#pragma D option strsize=256

BEGIN
{
	this->text = strjoin(
	    "{ \"host\": \"build-7\", \"load\": [0.25, 1.5e1, -3], \"up\": true,",
	    strjoin(" \"disks\": [{\"path\": \"/var\", \"used\": null},",
	    " {\"path\": \"C:\\\\data\", \"used\": {\"mb\": 12}}] }"));

	printf("%s\n", json(this->text, "host"));
	printf("%s %s %s\n", json(this->text, "load[0]"), json(this->text, "load[1]"),
	    json(this->text, "load[2]"));
	printf("%s\n", json(this->text, "load"));
	printf("%s %s\n", json(this->text, "disks[0].path"), json(this->text, "disks[0].used"));
	printf("%s\n", json(this->text, "disks[1].path"));
	printf("%s %d\n", json(this->text, "disks[1].used"),
	    strtoll(json(this->text, "disks[1].used.mb")) + 1);
	printf("%s\n", json(this->text, "up"));
	printf("%s\n", json(json(this->text, "disks[1]"), "used"));
	printf("%d %d %d %d\n", json(this->text, "down") == NULL,
	    json(this->text, "load[3]") == NULL, json(this->text, "host.name") == NULL,
	    json("no JSON", "host") == NULL);
	@[json(this->text, "host")] = count();
	exit(0);
}
