# stacks-COMPILER-LEVEL-FRAMEPOINTER[-LINK] are directories with the program stacks
# and its libraries. COMPILER: gcc or clang; FRAMEPOINTER: fp or nofp; LINK: as below.
# internal/e2e/stacks_programs_test.go has the names that tests use.

STACKS_SOURCES := main.c step.c frames.c flow.c signals.c libraries.c jit.c processes.c exec.c
STACKS_LIBRARIES := libstacks.so plugin-a.so plugin-b.so

cc-gcc   := gcc
cc-clang := clang-19
fp-fp    := -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer
fp-nofp  := -fomit-frame-pointer -DOMIT_FP

link-pie       := -pie -fPIE -Wl,-z,lazy
link-nopie     := -no-pie -fno-pie -Wl,-z,lazy
link-static    := -static -DSTATIC
link-staticpie := -static-pie -fPIE -DSTATIC
# Calls through the global offset table, without a procedure linkage table.
link-noplt     := -pie -fPIE -fno-plt -DBIND_NOW
# Names in the dynamic symbol table only.
link-stripped  := -pie -fPIE -Wl,-z,lazy -rdynamic -s

stacks-word = $(word $(1),$(subst -, ,$(2)))
stacks-link = $(or $(call stacks-word,4,$(1)),pie)
stacks-cc   = $(cc-$(call stacks-word,1,$(1))) -$(call stacks-word,2,$(1)) -DOPTIMIZE=$(patsubst O%,%,$(call stacks-word,2,$(1))) \
	$(fp-$(call stacks-word,3,$(1))) -D_GNU_SOURCE -Wall -Werror -pthread -fno-stack-protector
stacks-so   = $(call stacks-cc,$*) -fPIC -shared -Wl,-z,lazy -o $(@D)/$(1).$$$$ stacks/$(2) && mv $(@D)/$(1).$$$$ $(@D)/$(1)

.SECONDARY:
stacks-%: $(OUT)/stacks-%/stacks
	@:

$(OUT)/stacks-%/stacks: $(STACKS_SOURCES:%=stacks/%) stacks/library.c stacks/plugin.c stacks/case.h stacks/library.h stacks/stacks.mk
	mkdir -p $(@D)
	$(if $(findstring static,$(call stacks-link,$*)),, \
		$(call stacks-so,libstacks.so,library.c) && \
		$(call stacks-so,plugin-a.so,plugin.c -DFUNCTION_NAME=plugin_a -DFRAME_SIZE=1000) && \
		$(call stacks-so,plugin-b.so,plugin.c -DFUNCTION_NAME=plugin_b -DFRAME_SIZE=3000))
	$(call stacks-cc,$*) $(link-$(call stacks-link,$*)) -o $@.$$$$ $(STACKS_SOURCES:%=stacks/%) \
		$(if $(findstring static,$(call stacks-link,$*)),,$(@D)/libstacks.so '-Wl,-rpath,$$ORIGIN') && mv $@.$$$$ $@

# cxx-… likewise, with exceptions.
cxx-%: $(OUT)/cxx-%/stacks
	@:

cxx-gcc   := g++
cxx-clang := clang++-19

$(OUT)/cxx-%/stacks: stacks/main.c stacks/step.c stacks/exceptions.cc stacks/case.h stacks/stacks.mk
	mkdir -p $(@D)
	$(cxx-$(call stacks-word,1,$*)) $(wordlist 2,99,$(call stacks-cc,$*)) $(link-$(call stacks-link,$*)) \
		-o $@.$$$$ -x c++ stacks/main.c stacks/step.c stacks/exceptions.cc && mv $@.$$$$ $@

# cgostacks and rust-LEVEL.
cgostacks: $(OUT)/cgostacks
rust-%: $(OUT)/rust-%/stacks
	@:

$(OUT)/cgostacks: $(wildcard cgostacks/*) stacks/case.h
	mkdir -p $(OUT) && CGO_ENABLED=1 $(GO) build -o $@.$$$$ ./cgostacks && mv $@.$$$$ $@

$(OUT)/rust-O%/stacks: ruststacks/main.rs
	mkdir -p $(@D) && MAKEFLAGS= rustc --edition 2021 -C opt-level=$* -C force-frame-pointers=no -o $@.$$$$ $< && mv $@.$$$$ $@

.PHONY: cgostacks
